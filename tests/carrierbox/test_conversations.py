"""Whole conversations with the people at magic numbers, held by an application that listens before it speaks."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from tests.carrierbox.customer import Customer, Socket
from tests.carrierbox.lab import Lab, events
from tests.carrierbox.sound import loud_ms, mulaw_tone, read_wav
from tests.carrierbox.test_twilio_calls import place, stream_document

from carrierbox.line import g711

WORDS_MS = 200
PAUSE_MS = 400


async def messages(customer: Customer, socket: Socket) -> AsyncIterator[Any]:
    """What the socket says, as it says it."""
    taken = 0
    while True:
        await customer.wait("another message", lambda seen=taken: len(socket.messages) > seen or socket.closed)
        if len(socket.messages) == taken:
            return
        yield json.loads(socket.messages[taken])
        taken += 1


def is_loud(media: Any) -> bool:
    samples = g711.decode(base64.b64decode(media["media"]["payload"]))
    return float(np.abs(samples.astype(float)).mean()) > 300


def speech(stream: str, seconds: float) -> dict[str, object]:
    payload = base64.b64encode(mulaw_tone(500, seconds)).decode()
    return {"event": "media", "streamSid": stream, "media": {"payload": payload}}


class TestThePersonAt:
    async def test_0100_holds_a_talk_and_says_goodbye(self, hurried: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            loud = quiet = 0
            async for message in messages(customer, socket):
                if message["event"] != "media":
                    continue
                loud, quiet = (loud + 20, 0) if is_loud(message) else (loud, quiet + 20)
                if loud >= WORDS_MS and quiet >= PAUSE_MS:
                    loud = 0
                    await socket.ws.send_json(speech(message["streamSid"], 0.6))

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        sid = await place(hurried, customer, to="+12025550100")
        call = await hurried.call_until(sid, "ended")
        assert [event for event in events(call) if event.startswith("says")] == [
            "says: Hello?",
            "says: What are your opening hours?",
            "says: I would like to book an appointment.",
            "says: Okay, thank you. Goodbye.",
        ]
        assert call["ended_by"] == "party"

    async def test_0110_barges_in_and_hears_the_application_stop(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            spoken = loud = quiet = 0
            async for message in messages(customer, socket):
                if message["event"] != "media":
                    continue
                loud, quiet = (loud + 20, 0) if is_loud(message) else (loud, quiet + 20)
                if not spoken and loud >= WORDS_MS and quiet >= PAUSE_MS:
                    spoken, loud = 1, 0
                    await socket.ws.send_json(speech(message["streamSid"], 10))
                elif spoken and loud >= 100:
                    await socket.ws.send_json({"event": "clear", "streamSid": message["streamSid"]})
                    return

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        sid = await place(lab, customer, to="+12025550110")
        await lab.call_until_event(sid, "cleared")
        async with lab.http.get(f"{lab.address}/control/calls/{sid}/both.wav") as response:
            both = read_wav(await response.read())
        heard, said = loud_ms(both[:, 1]), loud_ms(both[:, 0])
        onset = next(ms for ms in said if ms > heard[0])
        assert onset - heard[0] >= 1100
        assert 0 <= heard[-1] - onset <= 1000

    async def test_0107_is_never_quite_silent(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await place(hurried, customer, to="+12025550107")
        socket = await customer.wait_for_socket()
        await customer.wait("a second", lambda: len(socket.messages) > 60)
        media = [m for m in map(json.loads, socket.messages) if m["event"] == "media"]
        assert all(is_loud(m) for m in media)

    async def test_0108_is_heard_with_gaps_and_in_bursts_but_in_order(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await place(hurried, customer, to="+12025550108")
        socket = await customer.wait_for_socket()
        await customer.wait("ten seconds", lambda: len(socket.messages) > 450)
        media = [m["media"] for m in map(json.loads, socket.messages) if m["event"] == "media"]
        stamps = [int(m["timestamp"]) for m in media]
        assert stamps == sorted(stamps)
        assert [int(m["chunk"]) for m in media] == list(range(1, len(media) + 1))
        missing = 1 - len(stamps) / (stamps[-1] / 20 + 1)
        assert 0.01 <= missing <= 0.12

    async def test_0104_takes_a_message_and_hangs_up(self, hurried: Lab, customer: Customer) -> None:
        message = "<Pause length='9'/><Say>call me</Say><Pause length='60'/>"
        customer.documents["/answer"] = ("text/xml", f"<Response>{message}</Response>")
        sid = await place(hurried, customer, to="+12025550104")
        call = await hurried.call_until(sid, "ended")
        assert [event for event in events(call) if "beep" in event] == ["says: (beep)"]
        assert (call["ended_by"], loud_ms(await hurried.heard(sid)) != []) == ("party", True)
