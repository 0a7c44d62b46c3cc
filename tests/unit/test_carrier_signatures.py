"""Who sent a request: against fixed values, and against the carriers' own packages."""

import hashlib
import json
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import plivo.utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from vonage_jwt import verify_signature
from vonage_jwt.jwt import JwtClient

from rymi_server.telephony.carriers.carrier import CarrierWire, Credentials, SignedRequest
from rymi_server.telephony.carriers.plivo.signatures import sign as plivo_sign
from rymi_server.telephony.carriers.plivo.wire import PLIVO_WIRE
from rymi_server.telephony.carriers.twilio.signatures import sign as twilio_sign
from rymi_server.telephony.carriers.twilio.wire import TWILIO_WIRE
from rymi_server.telephony.carriers.vonage.tokens import application_token, new_key_pair
from rymi_server.telephony.carriers.vonage.wire import VonageWire

URL = "https://voice.example.com"
CALL = {"From": "+15557654321", "To": "+15551234567", "CallStatus": "completed"}
TWILIO_CALL = CALL | {"CallSid": "CA0001", "CallDuration": "12"}
NONCE = "kjsdhfsd87sd7yisud2"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = "a-signature-secret-of-thirty-two-characters"
FORM = {"content-type": "application/x-www-form-urlencoded"}

names = st.text("abcXYZ_", min_size=1, max_size=8)
values = st.text("abc =+&?%é漢", max_size=12)
fields = st.dictionaries(names, values, max_size=5)


def lists(form: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in form.items()}


def posted(url: str, form: Mapping[str, str], **headers: str) -> SignedRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SignedRequest("POST", url, FORM | named, urlencode(form).encode())


class TestTwilio:
    wire: CarrierWire = TWILIO_WIRE
    credentials = Credentials("AC1", "12345")
    status = f"{URL}/v1/webhooks/twilio/status?leg=leg_1"

    def test_signs_as_twilio_does(self) -> None:
        assert twilio_sign("12345", self.status, lists(TWILIO_CALL)) == "Q12iDfjF2tJfSnUtua2ysfxEv8E="
        newer = twilio_sign("12345", self.status, lists(TWILIO_CALL), hashlib.sha256)
        assert newer == "Xb4JtsfOIPIV5bZiRU0Bhj1An/HBZcbFlK3B9HDxJ0I="

    def test_takes_both_of_its_algorithms(self) -> None:
        older = posted(self.status, TWILIO_CALL, x_twilio_signature="Q12iDfjF2tJfSnUtua2ysfxEv8E=")
        newer = posted(
            self.status,
            TWILIO_CALL,
            x_twilio_signature="Xb4JtsfOIPIV5bZiRU0Bhj1An/HBZcbFlK3B9HDxJ0I=",
            x_twilio_webhooks_signature_settings="key=1,algorithm=HMAC_SHA256",
        )
        assert self.wire.verifies(self.credentials, older, NOW)
        assert self.wire.verifies(self.credentials, newer, NOW)

    def test_takes_the_handshake_of_its_socket(self) -> None:
        at = "wss://voice.example.com/media/twilio"
        signed = SignedRequest("GET", at, {"x-twilio-signature": "C6FHkKjYMuvoBVOntnfRi3NjKEA="})
        assert self.wire.verifies_socket(self.credentials, signed, "", NOW)
        slash = SignedRequest("GET", f"{at}/", signed.headers)
        assert not self.wire.verifies_socket(self.credentials, slash, "", NOW)

    def test_takes_json_only_with_the_digest_that_its_address_names(self) -> None:
        body = b'{"a": 1}'
        at = f"{URL}/status?bodySHA256={hashlib.sha256(body).hexdigest()}"
        headers = {"content-type": "application/json", "x-twilio-signature": twilio_sign("12345", at, {})}
        assert self.wire.verifies(self.credentials, SignedRequest("POST", at, headers, body), NOW)
        assert not self.wire.verifies(self.credentials, SignedRequest("POST", at, headers, b"{}"), NOW)

    @settings(deadline=None)
    @given(fields)
    def test_always_agrees_with_twilios_own_validator(self, form: dict[str, str]) -> None:
        signature = RequestValidator("12345").compute_signature(f"{URL}/status?leg=1", form)
        assert self.wire.verifies(
            self.credentials, posted(f"{URL}/status?leg=1", form, x_twilio_signature=signature), NOW
        )

    @pytest.mark.parametrize(
        ("given", "signed"),
        [
            ("https://voice.example.com:8443/status?leg=1", "https://voice.example.com/status?leg=1"),
            ("https://voice.example.com/status?leg=1", "https://voice.example.com:443/status?leg=1"),
            ("https://voice.example.com:443", "https://voice.example.com"),
            ("http://voice.example.com/status", "http://voice.example.com:80/status"),
        ],
    )
    def test_takes_an_address_with_and_without_its_port_as_twilios_own_validator_does(
        self, given: str, signed: str
    ) -> None:
        signature = RequestValidator("12345").compute_signature(signed, TWILIO_CALL)
        assert RequestValidator("12345").validate(given, TWILIO_CALL, signature)
        assert self.wire.verifies(self.credentials, posted(given, TWILIO_CALL, x_twilio_signature=signature), NOW)

    @pytest.mark.parametrize(
        ("given", "signed"),
        [
            ("wss://voice.example.com:8443/media/twilio", "wss://voice.example.com/media/twilio"),
            ("wss://voice.example.com/media/twilio", "wss://voice.example.com:443/media/twilio"),
            ("wss://[2001:db8::1]:8443/media/twilio", "wss://[2001:db8::1]/media/twilio"),
            ("wss://[2001:db8::1]/media/twilio", "wss://[2001:db8::1]:443/media/twilio"),
        ],
    )
    def test_takes_a_sockets_address_with_and_without_its_port(self, given: str, signed: str) -> None:
        handshake = SignedRequest("GET", given, {"x-twilio-signature": twilio_sign("12345", signed, {})})
        assert self.wire.verifies_socket(self.credentials, handshake, "", NOW)

    @pytest.mark.parametrize(
        "signed",
        [
            "https://voice.example.com:8444/status",
            "https://voice.example.com:443/status",
            "http://voice.example.com:8443/status",
            "https://voice.example.com:8443/",
        ],
    )
    def test_takes_no_other_address(self, signed: str) -> None:
        given = "https://voice.example.com:8443/status"
        signature = twilio_sign("12345", signed, lists(TWILIO_CALL))
        assert not self.wire.verifies(self.credentials, posted(given, TWILIO_CALL, x_twilio_signature=signature), NOW)

    @pytest.mark.parametrize("spoiled", ["", "Q12iDfjF2tJfSnUtua2ysfxEv8F=", "ümlaut"])
    def test_takes_nothing_else(self, spoiled: str) -> None:
        assert not self.wire.verifies(
            self.credentials, posted(self.status, TWILIO_CALL, x_twilio_signature=spoiled), NOW
        )
        good = "Q12iDfjF2tJfSnUtua2ysfxEv8E="
        changed = posted(self.status, TWILIO_CALL | {"CallDuration": "13"}, x_twilio_signature=good)
        assert not self.wire.verifies(self.credentials, changed, NOW)


class TestPlivo:
    wire: CarrierWire = PLIVO_WIRE
    credentials = Credentials("MA1", "plivotoken")

    @pytest.mark.parametrize(
        ("method", "url", "form", "signature"),
        [
            ("POST", f"{URL}/plivo/hangup", CALL | {"CallUUID": "c1"}, "RxXWGlgfBr5RvS3laTOjDf3Z4MVoxJTbNvc0CtMZpqQ="),
            (
                "POST",
                f"{URL}/plivo/hangup?leg=leg_1",
                CALL | {"CallUUID": "c1"},
                "m8OsY+lzgBKPlp87luDWF2CY5abTKmufNWqpMKndf3U=",
            ),
            ("GET", f"{URL}/plivo/answer?a=1&b=2", {}, "FO+UfY3+K/5sKNOA1MsWPR1lCZB6ECuM7Kdl+qPIq4A="),
            (
                "GET",
                "http://voice.example.com/media/plivo?leg=1",
                {},
                "lE1006/A1Aw/CK+ouLPpwlyd/kJ624cTZvLnSh0EdQI=",
            ),
        ],
    )
    def test_signs_as_plivo_does(self, method: str, url: str, form: dict[str, str], signature: str) -> None:
        assert plivo_sign("plivotoken", method, url, NONCE, lists(form)) == signature

    def test_takes_the_handshake_of_its_socket_signed_under_http(self) -> None:
        signature = "lE1006/A1Aw/CK+ouLPpwlyd/kJ624cTZvLnSh0EdQI="
        headers = {"x-plivo-signature-v3": signature, "x-plivo-signature-v3-nonce": NONCE}
        at = "wss://voice.example.com/media/plivo?leg=1"
        assert self.wire.verifies_socket(self.credentials, SignedRequest("GET", at, headers), "", NOW)
        assert not self.wire.verifies_socket(self.credentials, SignedRequest("GET", f"{at}2", headers), "", NOW)

    def test_takes_any_of_several_signatures_and_that_of_the_main_account(self) -> None:
        form = CALL | {"CallUUID": "c1"}
        good = plivo_sign("plivotoken", "POST", f"{URL}/hangup", NONCE, lists(form))
        for headers in ({"x_plivo_signature_v3": f"bad=, {good}"}, {"x_plivo_signature_ma_v3": good}):
            request = posted(f"{URL}/hangup", form, x_plivo_signature_v3_nonce=NONCE, **headers)
            assert self.wire.verifies(self.credentials, request, NOW)

    @settings(deadline=None)
    @given(fields)
    def test_always_agrees_with_plivos_own_validator(self, form: dict[str, str]) -> None:
        signature = plivo_sign("token", "POST", f"{URL}/ring?leg=1", NONCE, lists(form))
        assert plivo.utils.validate_v3_signature("POST", f"{URL}/ring?leg=1", NONCE, "token", signature, dict(form))

    def test_takes_nothing_unsigned_and_nothing_changed(self) -> None:
        good = plivo_sign("plivotoken", "POST", f"{URL}/hangup", NONCE, lists(CALL))
        signed = {"x_plivo_signature_v3": good, "x_plivo_signature_v3_nonce": NONCE}
        assert not self.wire.verifies(self.credentials, posted(f"{URL}/hangup", CALL), NOW)
        assert not self.wire.verifies(self.credentials, posted(f"{URL}/hangup", CALL | {"To": "+1"}, **signed), NOW)


class TestVonage:
    wire: CarrierWire = VonageWire()
    credentials = Credentials("key1", "s", signature_secret=SECRET, application_id="app1")
    body = b'{"uuid":"u1","status":"ringing"}'

    def claims(self, **changed: Any) -> dict[str, Any]:
        return {
            "iat": int(NOW.timestamp()),
            "jti": "j1",
            "iss": "Vonage",
            "api_key": "key1",
            "application_id": "app1",
            "payload_hash": hashlib.sha256(self.body).hexdigest(),
        } | changed

    def request(self, secret: str = SECRET, **changed: Any) -> SignedRequest:
        token = jwt.encode(self.claims(**changed), secret, algorithm="HS256")
        return SignedRequest("POST", f"{URL}/event", {"authorization": f"Bearer {token}"}, self.body)

    def test_takes_what_vonage_signed_for_this_account_now(self) -> None:
        request = self.request()
        assert verify_signature(request.headers["authorization"].removeprefix("Bearer "), SECRET)
        assert self.wire.verifies(self.credentials, request, NOW)

    @pytest.mark.parametrize(
        "changed",
        [
            {"iat": int((NOW - timedelta(minutes=6)).timestamp())},
            {"iat": int((NOW + timedelta(minutes=6)).timestamp())},
            {"iat": "now"},
            {"iss": "Somebody"},
            {"api_key": "key2"},
            {"application_id": "app2"},
            {"payload_hash": hashlib.sha256(b"{}").hexdigest()},
            {"secret": "another-secret-of-thirty-two-characters!"},
        ],
        ids=str,
    )
    def test_takes_nothing_old_nothing_of_others_and_nothing_changed(self, changed: dict[str, Any]) -> None:
        assert not self.wire.verifies(self.credentials, self.request(**changed), NOW)

    def test_names_each_request_by_its_tokens_id(self) -> None:
        assert self.wire.named_once(self.credentials, self.request(jti="once")) == "once"
        assert self.wire.named_once(Credentials("key1", "s"), self.request(jti="once")) is None

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic cnltaTo="])
    def test_takes_nothing_unsigned(self, header: str) -> None:
        request = SignedRequest("POST", f"{URL}/event", {"authorization": header}, self.body)
        assert not self.wire.verifies(self.credentials, request, NOW)

    def test_takes_no_token_without_a_signature(self) -> None:
        head = b64encode(b'{"alg":"none"}').decode().rstrip("=")
        claims = b64encode(json.dumps(self.claims()).encode()).decode().rstrip("=")
        request = SignedRequest("POST", URL, {"authorization": f"Bearer {head}.{claims}."}, self.body)
        assert not self.wire.verifies(self.credentials, request, NOW)

    def test_reads_a_get_by_its_query(self) -> None:
        digest = hashlib.sha256(b'{"uuid":"u1","status":"ringing"}').hexdigest()
        token = jwt.encode(self.claims(payload_hash=digest), SECRET, algorithm="HS256")
        at = f"{URL}/event?uuid=u1&status=ringing"
        assert self.wire.verifies(self.credentials, SignedRequest("GET", at, {"authorization": f"Bearer {token}"}), NOW)

    def test_a_socket_shows_our_own_token_where_vonage_has_nothing_to_sign_with(self) -> None:
        unsigned = Credentials("key1", "s")
        at = "wss://voice.example.com/media/vonage/leg_1/t0ken"
        ours = SignedRequest("GET", at, {"authorization": "Bearer t0ken"})
        assert self.wire.verifies_socket(unsigned, ours, "t0ken", NOW)
        assert not self.wire.verifies_socket(unsigned, SignedRequest("GET", at, {}), "t0ken", NOW)
        assert self.wire.verifies_socket(self.credentials, self.request(payload_hash=""), "t0ken", NOW)
        assert not self.wire.verifies_socket(self.credentials, ours, "t0ken", NOW)

    def test_asks_with_a_token_like_that_of_vonages_own_package(self) -> None:
        private, public = new_key_pair()
        ours = application_token(Credentials("k", "s", application_id="app1", private_key=private), datetime.now(UTC))
        theirs = JwtClient("app1", private).generate_application_jwt()
        both = [jwt.decode(each, public, algorithms=["RS256"]) for each in (ours, theirs)]
        assert [claims["application_id"] for claims in both] == ["app1", "app1"]
        assert both[0].keys() == {"application_id", "iat", "exp", "jti"} <= both[1].keys()
        assert both[0]["exp"] - time.time() < 901
