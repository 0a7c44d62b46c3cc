"""Twilio from end to end: placed by its own client, announced by signed callbacks, heard over a media stream."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.carrierbox.carrier_sdks import twilio_client
from tests.carrierbox.customer import Customer, Received, Socket
from tests.carrierbox.lab import SILENT, Lab, events
from tests.carrierbox.sound import loud_ms, loudest_hertz, mulaw_tone
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Connect, VoiceResponse

from carrierbox import stock

FROM = stock.NUMBERS["twilio"][0]
SOMEBODY = "+12025550123"
# How long a message may take between two busy processes of a busy machine.
LATENESS_MS = 500
ALL_EVENTS = ["initiated", "ringing", "answered", "completed"]


def stream_document(customer: Customer, **parameters: str) -> tuple[str, str]:
    response, connect = VoiceResponse(), Connect()
    stream = connect.stream(url=customer.media, status_callback=f"{customer.address}/stream")
    for name, value in parameters.items():
        stream.parameter(name=name, value=value)
    response.append(connect)
    return "text/xml", str(response)


def said(socket: Socket, event: str) -> list[Any]:
    return [m for m in map(json.loads, socket.messages) if m["event"] == event]


def with_event(socket: Socket, event: str) -> Callable[[], bool]:
    return lambda: bool(said(socket, event))


async def place(lab: Lab, customer: Customer, to: str = SOMEBODY, **more: Any) -> str:
    ask = {
        "url": f"{customer.address}/answer?leg=leg_1",
        "status_callback": f"{customer.address}/status?leg=leg_1",
        "status_callback_event": ALL_EVENTS,
        "to": to,
        "from_": FROM,
    }
    client = twilio_client(lab.address)
    call = await asyncio.to_thread(lambda: client.calls.create(**ask | more))
    assert call.status == "queued"
    return call.sid


def is_signed(received: Received) -> bool:
    params = received.form if received.method == "POST" else {}
    signature = received.headers["X-Twilio-Signature"]
    return RequestValidator(stock.TWILIO_TOKEN).validate(received.url, params, signature)


class TestACallOnTwilio:
    async def test_is_announced_in_order_with_signatures_that_twilio_accepts(
        self, lab: Lab, customer: Customer
    ) -> None:
        customer.documents["/answer"] = ("text/xml", "<Response><Hangup/></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        done = await customer.wait_for_webhook("/status", CallStatus="completed")
        assert [r.form["CallStatus"] for r in customer.at("/status")] == [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
        ]
        assert [r.form["SequenceNumber"] for r in customer.at("/status")] == ["0", "1", "2", "3"]
        assert all(is_signed(r) for r in customer.received)
        assert (done.form["CallSid"], done.form["From"], done.form["To"]) == (sid, FROM, SOMEBODY)
        assert done.form["CallDuration"] == "1"

    async def test_streams_the_callee_in_real_time_and_tells_parameters_and_ids(
        self, lab: Lab, customer: Customer
    ) -> None:
        customer.documents["/answer"] = stream_document(customer, t="5f0c")
        await lab.script(SOMEBODY, {"do": "say", "text": "hello there my friend"}, {"do": "stay"})
        sid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("50 frames", lambda: len(said(socket, "media")) >= 50)
        assert [json.loads(m)["event"] for m in socket.messages[:3]] == ["connected", "start", "media"]
        start = said(socket, "start")[0]["start"]
        assert (start["callSid"], start["customParameters"]) == (sid, {"t": "5f0c"})
        assert start["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        media = said(socket, "media")
        assert [int(m["media"]["timestamp"]) for m in media[:50]] == list(range(0, 1000, 20))
        assert {len(base64.b64decode(m["media"]["payload"])) for m in media} == {160}
        assert RequestValidator(stock.TWILIO_TOKEN).validate(socket.url, {}, socket.headers["X-Twilio-Signature"])

    async def test_plays_what_the_application_sends_and_returns_the_mark_when_it_was_played(
        self, lab: Lab, customer: Customer
    ) -> None:
        sent_after: list[int] = []

        async def talk(socket: Socket) -> None:
            await customer.wait("the start", with_event(socket, "start"))
            sid = said(socket, "start")[0]["streamSid"]
            payload = base64.b64encode(mulaw_tone(440, 1.0)).decode()
            sent_after.append(len(said(socket, "media")) * 20)
            await socket.ws.send_json({"event": "media", "streamSid": sid, "media": {"payload": payload}})
            await socket.ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": "g1-end"}})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the mark", with_event(socket, "mark"))
        before_mark = [m for m in map(json.loads, socket.messages) if m["event"] in ("media", "mark")]
        played_for = [m["event"] for m in before_mark].index("mark") * 20
        assert said(socket, "mark")[0]["mark"] == {"name": "g1-end"}
        assert 1000 <= played_for - sent_after[0] <= 1000 + LATENESS_MS
        heard = await lab.heard(sid)
        loud = loud_ms(heard)
        assert loud == list(range(loud[0], loud[0] + 1000, 20))
        assert loudest_hertz(heard[loud[0] * 8 : (loud[0] + 1000) * 8]) == pytest.approx(440, abs=2)

    async def test_clears_what_was_not_played_and_returns_every_waiting_mark(
        self, lab: Lab, customer: Customer
    ) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", with_event(socket, "start"))
            sid = said(socket, "start")[0]["streamSid"]
            payload = base64.b64encode(mulaw_tone(440, 5.0)).decode()
            await socket.ws.send_json({"event": "media", "streamSid": sid, "media": {"payload": payload}})
            for name in ("a", "b"):
                await socket.ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": name}})
            await customer.wait("half a second", lambda: len(said(socket, "media")) >= 25)
            await socket.ws.send_json({"event": "clear", "streamSid": sid})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("both marks", lambda: len(said(socket, "mark")) == 2)
        await customer.wait("more frames", lambda: len(said(socket, "media")) >= 50)
        assert [m["mark"]["name"] for m in said(socket, "mark")] == ["a", "b"]
        assert 300 <= len(loud_ms(await lab.heard(sid))) * 20 <= 700 + LATENESS_MS

    async def test_tells_pressed_keys_and_ends_the_stream_with_a_stop(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "wait", "ms": 500}, {"do": "press", "digits": "4#"})
        await place(lab, customer)
        await customer.wait_for_webhook("/status", CallStatus="completed")
        socket = customer.sockets[0]
        await customer.wait("the close", lambda: socket.closed)
        assert [m["dtmf"]["digit"] for m in said(socket, "dtmf")] == ["4", "#"]
        assert json.loads(socket.messages[-1])["event"] == "stop"
        stopped = await customer.wait_for_webhook("/stream", StreamEvent="stream-stopped")
        assert is_signed(stopped)

    async def test_is_hung_up_by_the_application_through_rest(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        await customer.wait_for_socket()
        client = twilio_client(lab.address)
        await asyncio.to_thread(lambda: client.calls(sid).update(status="completed"))
        await customer.wait_for_webhook("/status", CallStatus="completed")
        fetched = await asyncio.to_thread(lambda: client.calls(sid).fetch())
        assert (fetched.status, fetched.to, fetched.duration) == ("completed", SILENT, "1")
        assert fetched.price is None
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(lambda: client.calls(sid).update(status="completed"))
        assert (refusal.value.status, refusal.value.code) == (400, 21220)

    async def test_leaves_its_stream_for_another_document(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        first = await customer.wait_for_socket()
        again = f'<Response><Play digits="7"/>{stream_document(customer)[1].split("<Response>")[1]}'
        await asyncio.to_thread(lambda: twilio_client(lab.address).calls(sid).update(twiml=again))
        second = await customer.wait_for_socket(2)
        await customer.wait("the second start", with_event(second, "start"))
        assert first.closed
        assert said(first, "start")[0]["start"]["callSid"] == said(second, "start")[0]["start"]["callSid"] == sid
        assert said(first, "start")[0]["streamSid"] != said(second, "start")[0]["streamSid"]
        assert "heard key 7" in events(await lab.get(f"/calls/{sid}"))

    async def test_asks_for_no_further_document_once_it_is_over(self, lab: Lab, customer: Customer) -> None:
        kind, xml = stream_document(customer)
        customer.documents["/answer"] = (kind, xml.replace("</Response>", "<Redirect>/next</Redirect></Response>"))
        await lab.script(SOMEBODY, {"do": "wait", "ms": 300})
        sid = await place(lab, customer)
        await customer.wait_for_webhook("/status", CallStatus="completed")
        await customer.wait_for_webhook("/stream", StreamEvent="stream-stopped")
        assert (await lab.call_until(sid, "ended"))["ended_by"] == "party"
        assert customer.at("/next") == []

    async def test_follows_only_the_last_of_several_documents(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        await customer.wait_for_socket()
        phone, twilio = lab.box.exchange.phone(sid), lab.box.carriers["twilio"]
        names = ("first", "second", "third")
        for name in names:
            customer.documents[f"/{name}"] = ("text/xml", "<Response><Pause length='9'/></Response>")
        orders = [
            twilio.go_to(phone.call, f"{customer.address}/{name}", "POST") for name in ("first", "second", "third")
        ]
        await asyncio.gather(*(phone.redirect(order) for order in orders))
        await customer.wait_for_webhook("/third")
        assert [customer.at("/first"), customer.at("/second")] == [[], []]

    async def test_goes_on_with_its_document_when_the_application_closes_the_socket(
        self, lab: Lab, customer: Customer
    ) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", with_event(socket, "start"))
            await socket.ws.close()

        customer.talk = talk
        kind, xml = stream_document(customer)
        customer.documents["/answer"] = (kind, xml.replace("</Response>", "<Redirect>/next</Redirect></Response>"))
        customer.documents["/next"] = ("text/xml", "<Response><Hangup/></Response>")
        await place(lab, customer, to=SILENT)
        await customer.wait_for_webhook("/next")
        await customer.wait_for_webhook("/status", CallStatus="completed")

    @pytest.mark.parametrize(
        ("number", "status"),
        [("+12025550101", "busy"), ("+12025550102", "no-answer"), ("+12025550103", "busy")],
    )
    async def test_is_not_answered_by_who_never_answers(
        self, hurried: Lab, customer: Customer, number: str, status: str
    ) -> None:
        sid = await place(hurried, customer, to=number, timeout=5)
        await customer.wait_for_webhook("/status", CallStatus=status)
        call = await hurried.call_until(sid, "ended")
        assert call["answered_at"] is None
        assert customer.at("/answer") == []


class TestAnInboundCallOnTwilio:
    async def test_asks_the_number_what_to_do_and_connects(self, lab: Lab, customer: Customer) -> None:
        client = twilio_client(lab.address)
        number = (await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(phone_number=FROM)))[0]
        await asyncio.to_thread(lambda: number.update(voice_url=f"{customer.address}/inbound"))
        customer.documents["/inbound"] = stream_document(customer)
        call = await lab.send("POST", "/calls", {"carrier": "twilio", "to": FROM, "from": SOMEBODY})
        asked = await customer.wait_for_webhook("/inbound", CallStatus="ringing", Direction="inbound")
        assert is_signed(asked)
        socket = await customer.wait_for_socket()
        await customer.wait("speech", lambda: len(said(socket, "media")) > 5)
        await lab.send("POST", f"/calls/{call['id']}/press", {"digits": "1"})
        await customer.wait("the key", with_event(socket, "dtmf"))
        await lab.send("POST", f"/calls/{call['id']}/hang-up", {})
        await customer.wait("the stop", with_event(socket, "stop"))
        assert (await lab.call_until(call["id"], "ended"))["ended_by"] == "party"

    async def test_can_be_turned_down_as_busy(self, lab: Lab, customer: Customer) -> None:
        client = twilio_client(lab.address)
        number = (await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(phone_number=FROM)))[0]
        await asyncio.to_thread(lambda: number.update(voice_url=f"{customer.address}/inbound"))
        response = VoiceResponse()
        response.reject(reason="busy")
        customer.documents["/inbound"] = ("text/xml", str(response))
        call = await lab.send("POST", "/calls", {"carrier": "twilio", "to": FROM, "from": SOMEBODY})
        over = await lab.call_until(call["id"], "ended")
        assert (over["reason"], over["answered_at"]) == ("busy", None)
