"""Vonage from end to end: an application made and used by its own client, signed events, and binary WebSocket audio."""

import asyncio
import hashlib
import json
from typing import Any

import jwt
import numpy as np
import pytest
from tests.carrierbox.carrier_sdks import vonage_client
from tests.carrierbox.customer import Customer, Received, Socket
from tests.carrierbox.lab import Lab, events
from tests.carrierbox.sound import loud_ms, loudest_hertz, tone
from tests.carrierbox.test_twilio_calls import LATENESS_MS
from vonage_application import ApplicationConfig
from vonage_http_client.errors import AuthenticationError, HttpRequestError, NotFoundError, RateLimitedError
from vonage_jwt.verify_jwt import verify_signature
from vonage_numbers import UpdateNumberParams
from vonage_voice import CreateCallRequest, Talk
from vonage_voice.models.connect_endpoints import WebsocketEndpoint
from vonage_voice.models.ncco import Connect

from carrierbox import stock

FROM = stock.NUMBERS["vonage"][0]
SOMEBODY = "+12025550125"


def stream_document(customer: Customer, rate: int = 16_000, **authorization: str) -> tuple[str, str]:
    endpoint = WebsocketEndpoint(
        uri=f"{customer.media}?leg=1",
        contentType=f"audio/l16;rate={rate}",
        headers={"t": "5f0c"},
        authorization=authorization or None,
    )
    ncco = [Connect(endpoint=[endpoint], from_=FROM[1:]).model_dump(by_alias=True, exclude_none=True)]
    return "application/json", json.dumps(ncco)


def said(socket: Socket, event: str) -> list[Any]:
    texts = [json.loads(m) for m in socket.messages if isinstance(m, str)]
    return [m for m in texts if m["event"] == event]


def frames(socket: Socket) -> list[bytes]:
    return [m for m in socket.messages if isinstance(m, bytes)]


def event_of(received: Received) -> Any:
    return json.loads(received.body)


def told(customer: Customer, path: str = "/event") -> list[Any]:
    return [event_of(r) for r in customer.at(path)]


async def application(lab: Lab, customer: Customer) -> Any:
    webhooks = {
        "answer_url": {"address": f"{customer.address}/inbound", "http_method": "GET"},
        "event_url": {"address": f"{customer.address}/event", "http_method": "POST"},
    }
    config = ApplicationConfig(name="mine", capabilities={"voice": {"webhooks": webhooks}})
    client = vonage_client(lab.address)
    created = await asyncio.to_thread(lambda: client.application.create_application(config))
    return created.id, created.keys.private_key


async def place(lab: Lab, customer: Customer, to: str = SOMEBODY, **more: Any) -> tuple[str, Any]:
    client = vonage_client(lab.address, await application(lab, customer))
    ask = {
        "to": [{"type": "phone", "number": to[1:]}],
        "from_": {"type": "phone", "number": FROM[1:]},
        "answer_url": [f"{customer.address}/answer?leg=leg_1"],
        "event_url": [f"{customer.address}/event"],
    } | more
    wanted = CreateCallRequest(**{name: value for name, value in ask.items() if value is not None})
    call = await asyncio.to_thread(lambda: client.voice.create_call(wanted))
    assert call.status == "started"
    return call.uuid, client


def is_signed(received: Received) -> bool:
    token = received.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    whole = received.method == "GET" or claims["payload_hash"] == hashlib.sha256(received.body).hexdigest()
    return bool(verify_signature(token, stock.VONAGE_SIGNATURE_SECRET)) and claims["iss"] == "Vonage" and whole


class TestACallOnVonage:
    async def test_is_announced_in_order_with_signatures_that_vonage_accepts(
        self, lab: Lab, customer: Customer
    ) -> None:
        customer.documents["/answer"] = ("application/json", "[]")
        await lab.script(SOMEBODY, {"do": "stay"})
        uuid, _ = await place(lab, customer)
        await customer.wait("the end", lambda: "completed" in [e["status"] for e in told(customer)])
        assert [e["status"] for e in told(customer)] == ["started", "ringing", "answered", "completed"]
        assert {(e["uuid"], e["from"], e["to"]) for e in told(customer)} == {(uuid, FROM[1:], SOMEBODY[1:])}
        assert told(customer)[-1]["duration"] == "1"
        asked = customer.at("/answer")[0]
        assert (asked.method, asked.form["uuid"], asked.form["leg"]) == ("GET", uuid, "leg_1")
        assert all(is_signed(r) for r in customer.received)

    @pytest.mark.parametrize(("rate", "frame"), [(8000, 320), (16_000, 640), (24_000, 960)])
    async def test_streams_binary_frames_of_exactly_20_ms(
        self, lab: Lab, customer: Customer, rate: int, frame: int
    ) -> None:
        customer.documents["/answer"] = stream_document(customer, rate)
        await lab.script(SOMEBODY, {"do": "say", "text": "hello there my friend"}, {"do": "stay"})
        await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("50 frames", lambda: len(frames(socket)) >= 50)
        kind = f"audio/l16;rate={rate}"
        assert json.loads(socket.messages[0]) == {"event": "websocket:connected", "content-type": kind, "t": "5f0c"}
        assert {len(f) for f in frames(socket)} == {frame}
        assert loud_ms(np.frombuffer(b"".join(frames(socket)), "<i2"), rate) != []

    async def test_is_a_leg_of_its_own_to_the_application(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "wait", "ms": 500})
        uuid, _ = await place(lab, customer)
        await customer.wait("six events", lambda: len(told(customer)) == 6)
        socket_leg = [e for e in told(customer) if e["uuid"] != uuid]
        assert {e["to"] for e in socket_leg} == {f"{customer.media}?leg=1"}
        assert [e["status"] for e in socket_leg] == ["answered", "completed"]

    async def test_plays_frames_and_notifies_when_they_were_played(self, lab: Lab, customer: Customer) -> None:
        sent_after: list[int] = []

        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            sent_after.append(len(frames(socket)) * 20)
            for frame in np.split(tone(440, 0.8, 16_000), 40):
                await socket.ws.send_bytes(frame.astype("<i2").tobytes())
            await socket.ws.send_json({"action": "notify", "payload": {"mark": "g1"}})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        uuid, _ = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the notice", lambda: bool(said(socket, "websocket:notify")))
        notice = next(i for i, m in enumerate(socket.messages) if isinstance(m, str) and "notify" in m)
        played_for = sum(isinstance(m, bytes) for m in socket.messages[:notice]) * 20
        assert 780 <= played_for - sent_after[0] <= 800 + LATENESS_MS
        assert said(socket, "websocket:notify")[0]["payload"] == {"mark": "g1"}
        heard = await lab.heard(uuid)
        loud = loud_ms(heard)
        assert 780 <= len(loud) * 20 <= 820
        assert loudest_hertz(heard[loud[0] * 8 : loud[-1] * 8]) == pytest.approx(440, abs=3)

    async def test_clears_and_drops_the_notices(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            for frame in np.split(tone(440, 2.0, 16_000), 100):
                await socket.ws.send_bytes(frame.astype("<i2").tobytes())
            await socket.ws.send_json({"action": "notify", "payload": {"mark": "g1"}})
            await customer.wait("some frames", lambda: len(frames(socket)) >= 20)
            await socket.ws.send_json({"action": "clear"})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        uuid, _ = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("more frames", lambda: len(frames(socket)) >= 50)
        assert len(said(socket, "websocket:cleared")) == 1
        assert said(socket, "websocket:notify") == []
        assert len(loud_ms(await lab.heard(uuid))) * 20 <= 700 + LATENESS_MS

    async def test_is_cut_off_after_a_frame_of_the_wrong_size(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            await socket.ws.send_bytes(bytes(160))

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        uuid, _ = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the end of the socket", lambda: socket.closed)
        assert socket.ws.close_code == 1006
        call = await lab.call_until(uuid, "ended")
        bad = next(entry for entry in call["timeline"] if entry["event"] == "bad media message")
        assert bad["reason"] == "unexpected frame size 160, when required 640"

    async def test_authorizes_the_socket_as_the_ncco_asks(self, lab: Lab, customer: Customer) -> None:
        await lab.script(SOMEBODY, {"do": "stay"})
        customer.documents["/answer"] = stream_document(customer, type="vonage")
        await place(lab, customer)
        first = await customer.wait_for_socket()
        assert verify_signature(first.headers["Authorization"].split()[1], stock.VONAGE_SIGNATURE_SECRET)
        customer.documents["/answer"] = stream_document(customer, type="custom", value="Bearer mine")
        await place(lab, customer)
        assert (await customer.wait_for_socket(2)).headers["Authorization"] == "Bearer mine"

    async def test_presses_keys_both_ways_and_is_hung_up(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "wait", "ms": 300}, {"do": "press", "digits": "9"}, {"do": "stay"})
        uuid, client = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the key", lambda: bool(said(socket, "websocket:dtmf")))
        assert said(socket, "websocket:dtmf")[0]["digit"] == "9"
        await asyncio.to_thread(lambda: client.voice.play_dtmf_into_call(uuid, "1p2"))
        call = await lab.call_until_event(uuid, "heard key 2")
        assert [e for e in events(call) if e.startswith("heard key")] == ["heard key 1", "heard key 2"]
        await asyncio.to_thread(lambda: client.voice.hangup(uuid))
        await customer.wait("the close", lambda: socket.closed)
        fetched = await asyncio.to_thread(lambda: client.voice.get_call(uuid))
        assert fetched.status == "completed"
        with pytest.raises(NotFoundError):
            await asyncio.to_thread(lambda: client.voice.hangup(uuid))

    async def test_is_transferred_to_another_ncco(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        uuid, client = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await asyncio.to_thread(lambda: client.voice.transfer_call_ncco(uuid, [Talk(text="One moment please")]))
        await customer.wait("the close", lambda: socket.closed)
        over = await lab.call_until(uuid, "ended")
        assert over["reason"] == "document_over"
        assert loud_ms(await lab.heard(uuid)) != []

    @pytest.mark.parametrize(
        ("number", "status"),
        [("+12025550101", "busy"), ("+12025550102", "timeout"), ("+12025550103", "rejected")],
    )
    async def test_says_why_nobody_answered(self, hurried: Lab, customer: Customer, number: str, status: str) -> None:
        await place(hurried, customer, to=number, ringing_timer=5)
        await customer.wait(f"the event {status}", lambda: status in [e["status"] for e in told(customer)])
        assert customer.at("/answer") == []

    async def test_waits_for_the_beep_of_a_machine_if_asked_to(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("application/json", '[{"action": "wait", "timeout": 30}]')
        detection = {"behavior": "continue", "mode": "detect_beep", "beep_timeout": 45}
        uuid, _ = await place(hurried, customer, to="+12025550104", advanced_machine_detection=detection)
        await customer.wait("the verdict", lambda: "machine" in [e["status"] for e in told(customer)])
        verdict = next(e for e in told(customer) if e["status"] == "machine")
        assert (verdict["call_uuid"], verdict["sub_state"], "uuid" in verdict) == (uuid, "beep_start", False)


class TestAnInboundCallOnVonage:
    async def test_follows_the_application_of_its_number(self, lab: Lab, customer: Customer) -> None:
        made, client = await application(lab, customer), vonage_client(lab.address)
        params = UpdateNumberParams(country="US", msisdn=FROM[1:], app_id=made[0])
        await asyncio.to_thread(lambda: client.numbers.update_number(params))
        customer.documents["/inbound"] = stream_document(customer)
        call = await lab.send("POST", "/calls", {"carrier": "vonage", "to": FROM, "from": SOMEBODY})
        asked = await customer.wait_for_webhook("/inbound", **{"from": SOMEBODY[1:], "to": FROM[1:]})
        assert is_signed(asked)
        assert asked.form["region_url"] == f"{lab.address}/vonage"
        socket = await customer.wait_for_socket()
        await customer.wait("speech", lambda: len(frames(socket)) > 5)
        await lab.send("POST", f"/calls/{call['id']}/hang-up", {})
        await customer.wait("the close", lambda: socket.closed)
        await customer.wait("the end", lambda: told(customer)[-1]["status"] == "completed")
        phone = [e["status"] for e in told(customer) if e["uuid"] == call["id"]]
        assert phone == ["started", "ringing", "answered", "completed"]

    async def test_is_turned_down_by_an_empty_ncco(self, lab: Lab, customer: Customer) -> None:
        made, client = await application(lab, customer), vonage_client(lab.address)
        params = UpdateNumberParams(country="US", msisdn=FROM[1:], app_id=made[0])
        await asyncio.to_thread(lambda: client.numbers.update_number(params))
        customer.documents["/inbound"] = ("application/json", "[]")
        call = await lab.send("POST", "/calls", {"carrier": "vonage", "to": FROM})
        over = await lab.call_until(call["id"], "ended")
        assert (over["reason"], over["answered_at"]) == ("rejected", None)


class TestVonagesRest:
    async def test_takes_no_key_and_secret_for_calls(self, lab: Lab) -> None:
        key_and_secret = {"Authorization": "Basic Y2IwMDAwMDE6Y2FycmllcmJveFNlY3JldDE="}
        async with lab.http.get(f"{lab.address}/vonage/v1/calls", headers=key_and_secret) as response:
            assert response.status == 401
            assert (await response.json())["title"] == "Unauthorized"

    async def test_takes_no_token_of_a_stranger(self, lab: Lab, customer: Customer) -> None:
        (_, stranger), (known, _) = await application(lab, customer), await application(lab, customer)
        client = vonage_client(lab.address, (known, stranger))
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(client.voice.list_calls)

    async def test_refuses_calls_that_come_too_fast(self, lab: Lab, customer: Customer) -> None:
        next(a for a in lab.box.accounts.all() if a.carrier == "vonage").calls_per_second = 2
        customer.documents["/answer"] = ("application/json", "[]")
        # One after the other they may take longer than a second where a machine is busy.
        placed = [place(lab, customer, to="+12025550102") for _ in range(8)]
        came = await asyncio.gather(*placed, return_exceptions=True)
        refused = [each for each in came if isinstance(each, BaseException)]
        assert len(came) - len(refused) >= 2
        assert {type(each) for each in refused} == {RateLimitedError}

    async def test_refuses_orders_that_cannot_be(self, lab: Lab, customer: Customer) -> None:
        with pytest.raises(HttpRequestError, match="400"):
            await place(lab, customer, from_={"type": "phone", "number": "12025550199"})
        with pytest.raises(HttpRequestError, match="400"):
            await place(lab, customer, answer_url=["not-an-address"])

    async def test_tells_balance_numbers_and_calls(self, lab: Lab, customer: Customer) -> None:
        account = vonage_client(lab.address)
        assert (await asyncio.to_thread(account.account.get_balance)).value == 100.0
        owned, count, _ = await asyncio.to_thread(account.numbers.list_owned_numbers)
        assert (count, [n.msisdn for n in owned]) == (2, [n[1:] for n in stock.NUMBERS["vonage"]])
        uuid, client = await place(lab, customer, to="+12025550102")
        calls, _ = await asyncio.to_thread(client.voice.list_calls)
        assert [(c.uuid, c.status in ("started", "ringing")) for c in calls] == [(uuid, True)]
