"""Signatures and tokens, against the carriers' own packages and against fixed values that those gave."""

import plivo.utils
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from vonage_jwt.jwt import JwtClient

from carrierbox.plivo.signature import sign as plivo_sign
from carrierbox.twilio.signature import sign as twilio_sign
from carrierbox.twilio.signature import without_port
from carrierbox.vonage.tokens import BadToken, make_key_pair, read_request_token

URL = "https://voice.example.com"
CALL = {"From": "+15557654321", "To": "+15551234567", "CallStatus": "completed"}
NONCE = "kjsdhfsd87sd7yisud2"
PRIVATE, PUBLIC = make_key_pair()

names = st.text("abcXYZ_", min_size=1, max_size=8)
values = st.text("abc =+&?%é漢", max_size=12)
fields = st.dictionaries(names, values, max_size=5)


class TestTwilio:
    def test_signs_a_form_as_twilio_does(self) -> None:
        form = {name: [value] for name, value in (CALL | {"CallSid": "CA0001", "CallDuration": "12"}).items()}
        signature = twilio_sign("12345", f"{URL}/v1/webhooks/twilio/status?leg=leg_1", form)
        assert signature == "Q12iDfjF2tJfSnUtua2ysfxEv8E="

    def test_signs_a_socket_as_twilio_does(self) -> None:
        signature = twilio_sign("12345", "wss://voice.example.com/media/twilio", {})
        assert signature == "C6FHkKjYMuvoBVOntnfRi3NjKEA="

    @settings(deadline=None)
    @given(fields)
    def test_always_agrees_with_twilios_own_validator(self, form: dict[str, str]) -> None:
        signature = twilio_sign("12345", f"{URL}/status?leg=1", {name: [value] for name, value in form.items()})
        assert RequestValidator("12345").validate(f"{URL}/status?leg=1", form, signature)

    @pytest.mark.parametrize(
        ("url", "signed"),
        [
            ("https://voice.example.com:8443/status?at=1:8443", "https://voice.example.com/status?at=1:8443"),
            ("wss://[2001:db8::1]:8443/media", "wss://[2001:db8::1]/media"),
            ("http://voice.example.com", "http://voice.example.com"),
        ],
    )
    def test_leaves_out_the_port_and_nothing_else(self, url: str, signed: str) -> None:
        assert without_port(url) == signed
        assert RequestValidator("12345").validate(signed, {}, twilio_sign("12345", without_port(url), {}))


class TestPlivo:
    @pytest.mark.parametrize(
        ("url", "signature"),
        [
            (f"{URL}/plivo/hangup", "RxXWGlgfBr5RvS3laTOjDf3Z4MVoxJTbNvc0CtMZpqQ="),
            (f"{URL}/plivo/hangup?leg=leg_1", "m8OsY+lzgBKPlp87luDWF2CY5abTKmufNWqpMKndf3U="),
        ],
    )
    def test_signs_a_form_as_plivo_does(self, url: str, signature: str) -> None:
        assert plivo_sign("plivotoken", url, CALL | {"CallUUID": "c1"}, NONCE) == signature

    @pytest.mark.parametrize(
        ("url", "signature"),
        [
            (f"{URL}/plivo/answer?a=1&b=2", "FO+UfY3+K/5sKNOA1MsWPR1lCZB6ECuM7Kdl+qPIq4A="),
            ("http://voice.example.com/media/plivo?leg=1", "lE1006/A1Aw/CK+ouLPpwlyd/kJ624cTZvLnSh0EdQI="),
        ],
    )
    def test_signs_a_get_and_a_socket_as_plivo_does(self, url: str, signature: str) -> None:
        assert plivo_sign("plivotoken", url, {}, NONCE) == signature

    @settings(deadline=None)
    @given(fields)
    def test_always_agrees_with_plivos_own_validator(self, form: dict[str, str]) -> None:
        signature = plivo_sign("token", f"{URL}/ring?leg=1", form, NONCE)
        assert plivo.utils.validate_v3_signature("POST", f"{URL}/ring?leg=1", NONCE, "token", signature, dict(form))


class TestVonage:
    def test_takes_the_token_that_vonages_own_package_makes(self) -> None:
        token = JwtClient("app-1", PRIVATE).generate_application_jwt().decode()
        assert read_request_token(token, {"app-1": PUBLIC}.get) == "app-1"

    @pytest.mark.parametrize(
        "claims",
        [{"exp": 1}, {"iat": 1_000_000_000}, {"exp": 99_999_999_999}],
        ids=["expired", "long ago", "for ever"],
    )
    def test_takes_no_token_out_of_its_time(self, claims: dict[str, int]) -> None:
        token = JwtClient("app-1", PRIVATE).generate_application_jwt(claims).decode()
        with pytest.raises(BadToken):
            read_request_token(token, {"app-1": PUBLIC}.get)

    def test_takes_no_token_of_an_unknown_application_nor_nonsense(self) -> None:
        token = JwtClient("app-2", PRIVATE).generate_application_jwt().decode()
        with pytest.raises(BadToken, match="no such application"):
            read_request_token(token, {"app-1": PUBLIC}.get)
        with pytest.raises(BadToken):
            read_request_token("not.a.token", {"app-1": PUBLIC}.get)
