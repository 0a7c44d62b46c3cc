"""Plivo from end to end: placed by its own client, announced by signed callbacks, heard over an audio stream."""

import asyncio
import base64
import json
from typing import Any

import numpy as np
import pytest
from plivo import plivoxml
from plivo.exceptions import AuthenticationError, ResourceNotFoundError, ValidationError
from plivo.utils import validate_v3_signature
from tests.carrierbox.carrier_sdks import plivo_client
from tests.carrierbox.customer import Customer, Received, Socket
from tests.carrierbox.lab import Lab, events
from tests.carrierbox.sound import loud_ms, loudest_hertz, tone
from tests.carrierbox.test_twilio_calls import LATENESS_MS

from carrierbox import stock

FROM = stock.NUMBERS["plivo"][0]
SOMEBODY = "+12025550124"


def stream_document(customer: Customer, kind: str = "audio/x-l16;rate=16000", extra: str = "t=5f0c") -> tuple[str, str]:
    response = plivoxml.ResponseElement()
    stream = plivoxml.StreamElement(
        content=customer.media + "?leg=1",
        bidirectional=True,
        keepCallAlive=True,
        contentType=kind,
        audioTrack="inbound",
        extraHeaders=extra,
        statusCallbackUrl=f"{customer.address}/stream",
    )
    response.add(stream)
    return "application/xml", response.to_string()


def said(socket: Socket, event: str) -> list[Any]:
    return [m for m in map(json.loads, socket.messages) if m["event"] == event]


def play_audio(samples: Any, rate: int = 16_000) -> dict[str, object]:
    payload = base64.b64encode(samples.astype("<i2").tobytes()).decode()
    return {
        "event": "playAudio",
        "media": {"contentType": "audio/x-l16", "sampleRate": rate, "payload": payload},
    }


async def place(lab: Lab, customer: Customer, to: str = SOMEBODY, **more: Any) -> str:
    ask = {
        "answer_url": f"{customer.address}/answer?leg=leg_1",
        "ring_url": f"{customer.address}/ring?leg=leg_1",
        "hangup_url": f"{customer.address}/hangup?leg=leg_1",
    }
    client = plivo_client(lab.address)
    call = await asyncio.to_thread(lambda: client.calls.create(from_=FROM, to_=to, **ask | more))
    assert call.message == "call fired"
    return str(call.request_uuid)


def is_signed(received: Received) -> bool:
    headers, params = received.headers, dict(received.form) if received.method == "POST" else {}
    return bool(
        validate_v3_signature(
            received.method,
            received.url,
            headers["X-Plivo-Signature-V3-Nonce"],
            stock.PLIVO_TOKEN,
            headers["X-Plivo-Signature-V3"],
            params,
        )
    )


class TestACallOnPlivo:
    async def test_is_announced_with_signatures_that_plivo_accepts(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("application/xml", "<Response><Hangup/></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        call_uuid = await place(lab, customer)
        over = await customer.wait_for_webhook("/hangup", Event="Hangup")
        assert [r.path for r in customer.received] == ["/ring", "/answer", "/hangup"]
        assert [r.form["Event"] for r in customer.received] == ["Ring", "StartApp", "Hangup"]
        assert [r.form["CallStatus"] for r in customer.received] == ["ringing", "in-progress", "completed"]
        assert {r.form["CallUUID"] for r in customer.received} == {call_uuid}
        assert all(is_signed(r) for r in customer.received)
        assert (over.form["From"], over.form["To"]) == (FROM[1:], SOMEBODY[1:])
        assert (over.form["HangupCauseCode"], over.form["HangupSource"]) == ("4000", "API Request")

    async def test_asks_with_get_if_told_to_and_signs_the_query(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("application/xml", "<Response><Hangup/></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        await place(lab, customer, answer_method="GET")
        asked = await customer.wait_for_webhook("/answer", Event="StartApp", leg="leg_1")
        assert asked.method == "GET"
        assert is_signed(asked)

    async def test_streams_the_callee_at_the_rate_asked_for(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "say", "text": "hello there my friend"}, {"do": "stay"})
        call_uuid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("50 frames", lambda: len(said(socket, "media")) >= 50)
        first = json.loads(socket.messages[0])
        assert (first["event"], first["start"]["callId"], first["extra_headers"]) == ("start", call_uuid, "{t=5f0c}")
        assert first["start"]["mediaFormat"] == {"encoding": "audio/x-l16", "sampleRate": 16_000}
        media = said(socket, "media")[:50]
        stamps = [int(m["media"]["timestamp"]) for m in media]
        assert [s - stamps[0] for s in stamps] == list(range(0, 1000, 20))
        pcm = [base64.b64decode(m["media"]["payload"]) for m in media]
        assert {len(frame) for frame in pcm} == {640}
        assert loud_ms(np.frombuffer(b"".join(pcm), "<i2"), 16_000) != []

    async def test_signs_the_socket_as_a_get_of_the_address_with_http(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        await place(lab, customer)
        socket = await customer.wait_for_socket()
        handshake = Received("GET", socket.url.replace("ws://", "http://"), "/media", socket.headers, b"", {})
        assert is_signed(handshake)

    async def test_plays_audio_at_16_kilohertz_and_answers_the_checkpoint_when_it_was_played(
        self, lab: Lab, customer: Customer
    ) -> None:
        sent_after: list[int] = []

        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            stream = json.loads(socket.messages[0])["start"]["streamId"]
            sent_after.append(len(said(socket, "media")) * 20)
            for piece in np.split(tone(440, 0.8, 16_000), 4):
                await socket.ws.send_json(play_audio(piece))
            await socket.ws.send_json({"event": "checkpoint", "streamId": stream, "name": "g1"})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        call_uuid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the checkpoint", lambda: bool(said(socket, "playedStream")))
        order = [m["event"] for m in map(json.loads, socket.messages) if m["event"] in ("media", "playedStream")]
        assert 780 <= order.index("playedStream") * 20 - sent_after[0] <= 800 + LATENESS_MS
        heard = await lab.heard(call_uuid)
        loud = loud_ms(heard)
        assert 780 <= len(loud) * 20 <= 820
        assert loudest_hertz(heard[loud[0] * 8 : loud[-1] * 8]) == pytest.approx(440, abs=3)

    async def test_clears_audio_once_and_forgets_the_checkpoints(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            stream = json.loads(socket.messages[0])["start"]["streamId"]
            for piece in np.split(tone(440, 2.0, 16_000), 8):
                await socket.ws.send_json(play_audio(piece))
            await socket.ws.send_json({"event": "checkpoint", "streamId": stream, "name": "g1"})
            await customer.wait("some frames", lambda: len(said(socket, "media")) >= 20)
            await socket.ws.send_json({"event": "clearAudio", "streamId": stream})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        call_uuid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("more frames", lambda: len(said(socket, "media")) >= 50)
        assert len(said(socket, "clearedAudio")) == 1
        assert said(socket, "playedStream") == []
        assert len(loud_ms(await lab.heard(call_uuid))) * 20 <= 700 + LATENESS_MS

    async def test_presses_keys_both_ways(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            await socket.ws.send_json({"event": "sendDTMF", "dtmf": "12#"})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "wait", "ms": 300}, {"do": "press", "digits": "9"}, {"do": "stay"})
        call_uuid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        call = await lab.call_until_event(call_uuid, "heard key #")
        assert [e for e in events(call) if e.startswith("heard key")] == ["heard key 1", "heard key 2", "heard key #"]
        await customer.wait("the key", lambda: bool(said(socket, "dtmf")))
        assert said(socket, "dtmf")[0]["dtmf"]["digit"] == "9"
        client = plivo_client(lab.address)
        await asyncio.to_thread(lambda: client.calls.send_digits(call_uuid, "5"))
        await lab.call_until_event(call_uuid, "heard key 5")

    async def test_stays_up_and_silent_when_the_application_closes_its_socket(
        self, lab: Lab, customer: Customer
    ) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: bool(socket.messages))
            await socket.ws.close()

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        call_uuid = await place(lab, customer)
        await customer.wait_for_webhook("/stream", Event="StopStream")
        client = plivo_client(lab.address)
        live = await asyncio.to_thread(lambda: client.live_calls.get(call_uuid))
        assert live.call_status == "in-progress"
        await asyncio.to_thread(lambda: client.calls.hangup(call_uuid))
        await customer.wait_for_webhook("/hangup", HangupCauseCode="4000")

    async def test_moves_to_another_document(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        customer.documents["/elsewhere"] = ("application/xml", "<Response><DTMF>8</DTMF><Wait length='5'/></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        call_uuid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        client, url = plivo_client(lab.address), f"{customer.address}/elsewhere"
        await asyncio.to_thread(lambda: client.calls.transfer(call_uuid, legs="aleg", aleg_url=url))
        await customer.wait("the close", lambda: socket.closed)
        await lab.call_until_event(call_uuid, "heard key 8")

    async def test_ends_with_its_document_and_says_so(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("application/xml", "<Response><Reject/></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        await place(lab, customer)
        await customer.wait_for_webhook("/hangup", HangupCauseCode="8011")
        customer.received.clear()
        customer.documents["/answer"] = ("application/xml", "<Response><Wait length='1'/></Response>")
        await place(lab, customer)
        await customer.wait_for_webhook("/hangup", HangupCauseCode="4010")

    @pytest.mark.parametrize(
        ("number", "status", "code"),
        [
            ("+12025550101", "busy", "3010"),
            ("+12025550102", "no-answer", "3000"),
            ("+12025550103", "failed", "3020"),
        ],
    )
    async def test_says_why_nobody_answered(
        self, hurried: Lab, customer: Customer, number: str, status: str, code: str
    ) -> None:
        await place(hurried, customer, to=number, ring_timeout=5)
        over = await customer.wait_for_webhook("/hangup", CallStatus=status)
        assert over.form["HangupCauseCode"] == code
        assert customer.at("/answer") == []

    async def test_reports_a_machine_and_only_a_machine(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("application/xml", "<Response><Wait length='8'/></Response>")
        url = f"{customer.address}/machine"
        await place(hurried, customer, to="+12025550104", machine_detection="true", machine_detection_url=url)
        await place(hurried, customer, to="+12025550109", machine_detection="true", machine_detection_url=url)
        await customer.wait("both ends", lambda: len(customer.at("/hangup")) == 2)
        assert [(r.form["Machine"], r.form["To"]) for r in customer.at("/machine")] == [("true", "12025550104")]


class TestAnInboundCallOnPlivo:
    async def test_follows_the_application_of_its_number(self, lab: Lab, customer: Customer) -> None:
        client = plivo_client(lab.address)

        def attach() -> None:
            created = client.applications.create("mine", answer_url=f"{customer.address}/inbound")
            client.numbers.update(FROM[1:], app_id=created["app_id"])

        await asyncio.to_thread(attach)
        number = (await asyncio.to_thread(lambda: client.numbers.list()))["objects"][0]
        assert number.application.startswith(f"/v1/Account/{stock.PLIVO_ID}/Application/")
        customer.documents["/inbound"] = stream_document(customer, "audio/x-mulaw;rate=8000")
        call = await lab.send("POST", "/calls", {"carrier": "plivo", "to": FROM, "from": SOMEBODY})
        asked = await customer.wait_for_webhook("/inbound", Direction="inbound", From=SOMEBODY[1:])
        assert is_signed(asked)
        socket = await customer.wait_for_socket()
        await customer.wait("speech", lambda: len(said(socket, "media")) > 5)
        assert len(base64.b64decode(said(socket, "media")[0]["media"]["payload"])) == 160
        await lab.send("POST", f"/calls/{call['id']}/hang-up", {})
        await customer.wait("the close", lambda: socket.closed)

    async def test_can_be_turned_down(self, lab: Lab, customer: Customer) -> None:
        call = await lab.send("POST", "/calls", {"carrier": "plivo", "to": FROM})
        assert (await lab.call_until(call["id"], "ended"))["reason"] == "answer_url_failed"
        client = plivo_client(lab.address)

        def attach() -> None:
            created = client.applications.create("mine", answer_url=f"{customer.address}/inbound")
            client.numbers.update(FROM[1:], app_id=created["app_id"])

        await asyncio.to_thread(attach)
        customer.documents["/inbound"] = ("application/xml", '<Response><Hangup reason="busy"/></Response>')
        call = await lab.send("POST", "/calls", {"carrier": "plivo", "to": FROM})
        over = await lab.call_until(call["id"], "ended")
        assert (over["reason"], over["answered_at"]) == ("busy", None)


class TestPlivosRest:
    async def test_refuses_as_plivo_does(self, lab: Lab, customer: Customer) -> None:
        client, stranger = plivo_client(lab.address), plivo_client(lab.address, "wrong")
        url = f"{customer.address}/answer"
        with pytest.raises(AuthenticationError):
            await asyncio.to_thread(lambda: stranger.account.get())
        with pytest.raises(ValidationError, match="from parameter"):
            await asyncio.to_thread(lambda: client.calls.create(from_="+12025550199", to_=SOMEBODY, answer_url=url))
        with pytest.raises(ValidationError, match="to parameter"):
            await asyncio.to_thread(lambda: client.calls.create(from_=FROM, to_="12", answer_url=url))
        with pytest.raises(ResourceNotFoundError):
            await asyncio.to_thread(lambda: client.calls.hangup("2a3b"))
        account = await asyncio.to_thread(lambda: client.account.get())
        assert (account.name, account.account_type) == ("carrierbox Plivo", "standard")

    async def test_pages_through_numbers(self, lab: Lab) -> None:
        for last in range(41):
            number = f"+1202555{7000 + last}"
            body = {"carrier": "plivo", "account_id": stock.PLIVO_ID, "number": number}
            await lab.send("POST", "/numbers", body)
        client = plivo_client(lab.address)
        pages = [await asyncio.to_thread(lambda at=at: client.numbers.list(offset=at)) for at in (0, 20, 40)]
        assert [len(page["objects"]) for page in pages] == [20, 20, 3]
        assert pages[0]["meta"].total_count == 43
        assert (bool(pages[1]["meta"].next), pages[2]["meta"].next) == (True, None)
