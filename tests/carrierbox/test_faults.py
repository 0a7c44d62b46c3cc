"""What a tester can break: callbacks, answers, REST and sockets; and what is written down about it."""

import asyncio
import json
from collections import Counter
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from tests.carrierbox.customer import Customer, Received, Socket
from tests.carrierbox.lab import SILENT, Lab, events
from tests.carrierbox.test_plivo_calls import place as plivo_place
from tests.carrierbox.test_twilio_calls import FROM, SOMEBODY, place, stream_document
from twilio.request_validator import RequestValidator

from carrierbox import stock
from carrierbox.delivery.faults import BadFault, FaultBook, Target

HANG_UP = ("text/xml", "<Response><Hangup/></Response>")
CALLS = f"/twilio/2010-04-01/Accounts/{stock.TWILIO_SID}/Calls.json"


def stamps(socket: Socket) -> list[int]:
    return [int(m["media"]["timestamp"]) for m in map(json.loads, socket.messages) if m["event"] == "media"]


def statuses(customer: Customer) -> list[str]:
    return [r.form["CallStatus"] for r in customer.at("/status")]


async def run_call(lab: Lab, customer: Customer, *faults: dict[str, object]) -> str:
    for fault in faults:
        await lab.send("POST", "/faults", fault)
    customer.documents["/answer"] = HANG_UP
    sid = await place(lab, customer)
    await customer.wait("the end", lambda: "completed" in statuses(customer))
    return sid


async def run_held_call(lab: Lab, customer: Customer) -> None:
    """A call that is over before its first callback is answered, so that all the others wait in line."""
    customer.documents["/answer"] = HANG_UP
    customer.hold("/status")
    sid = await place(lab, customer)
    await lab.call_until(sid, "ended")
    customer.release("/status")
    await customer.wait("all four", lambda: len(statuses(customer)) == 4)


async def post_call(lab: Lab, customer: Customer) -> tuple[int, str]:
    form = {"To": SOMEBODY, "From": FROM, "Url": f"{customer.address}/answer"}
    headers = {"Authorization": aiohttp.encode_basic_auth(stock.TWILIO_SID, stock.TWILIO_TOKEN)}
    timeout = aiohttp.ClientTimeout(total=10)
    async with lab.http.post(f"{lab.address}{CALLS}", data=form, headers=headers, timeout=timeout) as response:
        return response.status, await response.text()


class TestCallbacks:
    async def test_can_be_dropped(self, hurried: Lab, customer: Customer) -> None:
        sid = await run_call(hurried, customer, {"target": "callback", "act": "drop", "event": "ringing"})
        assert statuses(customer) == ["initiated", "in-progress", "completed"]
        call = await hurried.get(f"/calls/{sid}")
        assert "dropped by a fault" in [entry.get("outcome") for entry in call["timeline"]]

    async def test_can_be_doubled_with_the_same_idempotency_token(self, hurried: Lab, customer: Customer) -> None:
        await run_call(hurried, customer, {"target": "callback", "act": "duplicate", "event": "answered", "times": 1})
        assert statuses(customer) == ["initiated", "ringing", "in-progress", "in-progress", "completed"]
        tokens = [r.headers["I-Twilio-Idempotency-Token"] for r in customer.at("/status")]
        assert tokens[2] == tokens[3]
        assert len(set(tokens)) == 4

    async def test_can_be_late_without_holding_up_the_next(self, hurried: Lab, customer: Customer) -> None:
        fault = {"target": "callback", "act": "delay", "event": "initiated", "ms": 20_000}
        await run_call(hurried, customer, fault)
        await customer.wait("the late one", lambda: "initiated" in statuses(customer))
        assert statuses(customer) == ["ringing", "in-progress", "completed", "initiated"]

    async def test_can_change_places(self, hurried: Lab, customer: Customer) -> None:
        await hurried.send("POST", "/faults", {"target": "callback", "act": "reorder", "event": "ringing"})
        await run_held_call(hurried, customer)
        assert statuses(customer) == ["initiated", "in-progress", "ringing", "completed"]

    async def test_can_be_replayed_to_the_byte(self, hurried: Lab, customer: Customer) -> None:
        fault = {"target": "callback", "act": "replay", "event": "Ring", "ms": 15_000}
        await hurried.send("POST", "/faults", fault)
        await plivo_place(hurried, customer, to="+12025550103")
        await customer.wait("the replay", lambda: len(customer.at("/ring")) == 2)
        first, second = customer.at("/ring")
        assert first.body == second.body
        nonce = "X-Plivo-Signature-V3-Nonce"
        assert (first.headers[nonce], first.headers["X-Plivo-Signature-V3"]) == (
            second.headers[nonce],
            second.headers["X-Plivo-Signature-V3"],
        )
        assert [received.path for received in customer.received] == ["/ring", "/hangup", "/ring"]

    async def test_change_places_once_and_arrive_all(self, hurried: Lab, customer: Customer) -> None:
        await hurried.send("POST", "/faults", {"target": "callback", "act": "reorder"})
        await run_held_call(hurried, customer)
        assert sorted(statuses(customer)) == ["completed", "in-progress", "initiated", "ringing"]

    @pytest.mark.parametrize("act", ["forge", "unsigned"])
    async def test_can_be_preceded_by_one_that_nobody_signed(self, hurried: Lab, customer: Customer, act: str) -> None:
        await run_call(hurried, customer, {"target": "callback", "act": act, "event": "ringing", "times": 1})
        validator = RequestValidator(stock.TWILIO_TOKEN)

        def genuine(r: Received) -> bool:
            return bool(validator.validate(r.url, r.form, r.headers.get("X-Twilio-Signature", "")))

        ringing = [r for r in customer.at("/status") if r.form["CallStatus"] == "ringing"]
        assert [genuine(r) for r in ringing] == [False, True]

    async def test_are_not_tried_again_after_an_answer_that_was_an_error(
        self, hurried: Lab, customer: Customer
    ) -> None:
        replies = iter([503, 204])
        customer.documents["/answer"] = lambda _: next(replies)
        sid = await place(hurried, customer)
        call = await hurried.call_until(sid, "ended")
        assert (call["reason"], len(customer.at("/answer"))) == ("answer_url_failed", 1)


class TestTheAnswer:
    async def test_can_be_asked_twice(self, hurried: Lab, customer: Customer) -> None:
        await run_call(hurried, customer, {"target": "answer", "act": "duplicate"})
        assert len(customer.at("/answer")) == 2

    async def test_comes_from_the_fallback_if_the_first_address_fails(self, hurried: Lab, customer: Customer) -> None:
        customer.documents |= {"/answer": 500, "/fallback": HANG_UP}
        sid = await place(hurried, customer, fallback_url=f"{customer.address}/fallback")
        call = await hurried.call_until(sid, "ended")
        assert (call["reason"], len(customer.at("/fallback"))) == ("completed", 1)

    @pytest.mark.parametrize(
        ("document", "reason"),
        [
            (500, "answer_url_failed"),
            (404, "answer_url_failed"),
            (("text/html", "<html>oops"), "bad_document"),
            (("text/xml", "<Response>" + "x" * 200_000), "answer_url_failed"),
            (("text/xml", "<Response><Redirect>/answer</Redirect></Response>"), "answer_url_failed"),
        ],
        ids=["error", "missing", "html", "huge", "endless"],
    )
    async def test_that_is_no_answer_ends_the_call_with_the_reason(
        self, hurried: Lab, customer: Customer, document: Any, reason: str
    ) -> None:
        customer.documents["/answer"] = document
        sid = await place(hurried, customer, to="+12025550109")
        assert (await hurried.call_until(sid, "ended"))["reason"] == reason

    async def test_that_never_comes_ends_the_call(self, hurried: Lab, customer: Customer) -> None:
        await hurried.send("POST", "/faults", {"target": "answer", "act": "drop"})
        sid = await place(hurried, customer, to="+12025550109")
        call = await hurried.call_until(sid, "ended")
        assert (call["reason"], customer.at("/answer")) == ("answer_url_failed", [])


class TestRest:
    async def test_can_answer_with_an_error_and_a_page(self, lab: Lab, customer: Customer) -> None:
        fault = {"target": "rest", "act": "status", "event": "place_call", "status": 502, "body": "<html>", "times": 1}
        await lab.send("POST", "/faults", fault)
        assert await post_call(lab, customer) == (502, "<html>")
        assert (await post_call(lab, customer))[0] == 201
        assert len((await lab.get("/calls"))["calls"]) == 1

    async def test_can_place_a_call_and_never_say_so(self, lab: Lab, customer: Customer) -> None:
        fault = {"target": "rest", "act": "hang_after", "event": "place_call", "ms": 50, "times": 1}
        await lab.send("POST", "/faults", fault)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post_call(lab, customer)
        assert len((await lab.get("/calls"))["calls"]) == 1

    async def test_can_drop_a_request_undone(self, lab: Lab, customer: Customer) -> None:
        await lab.send("POST", "/faults", {"target": "rest", "act": "hang", "ms": 50, "times": 1})
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await post_call(lab, customer)
        assert (await lab.get("/calls"))["calls"] == []

    async def test_can_be_overtaken_by_the_calls_own_callbacks(self, hurried: Lab, customer: Customer) -> None:
        fault = {"target": "rest", "act": "delay", "event": "place_call", "ms": 20_000, "times": 1}
        await hurried.send("POST", "/faults", fault)
        customer.documents["/answer"] = HANG_UP
        placing = asyncio.create_task(post_call(hurried, customer))
        await customer.wait_for_webhook("/answer")
        assert not placing.done()
        assert (await placing)[0] == 201


class TestMedia:
    async def test_can_be_cut(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        socket = await customer.wait_for_socket()
        await lab.send("POST", "/faults", {"target": "media", "act": "cut", "call_id": sid})
        await customer.wait("the end of the socket", lambda: socket.closed)
        assert socket.ws.close_code == 1006

    async def test_can_be_torn_in_the_middle_of_a_frame(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        socket = await customer.wait_for_socket()
        await lab.send("POST", "/faults", {"target": "media", "act": "tear", "call_id": sid})
        await customer.wait("the end of the socket", lambda: socket.closed)
        assert socket.ws.close_code == 1006

    async def test_can_flood(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        socket = await customer.wait_for_socket()
        await lab.send("POST", "/faults", {"target": "media", "act": "flood", "call_id": sid, "ms": 3000})
        await customer.wait("frames of one instant", lambda: max(Counter(stamps(socket)).values(), default=0) > 140)

    async def test_can_send_garbage(self, lab: Lab, customer: Customer) -> None:
        await lab.send("POST", "/faults", {"target": "media", "act": "garbage", "body": "nonsense"})
        customer.documents["/answer"] = stream_document(customer)
        await place(lab, customer, to=SILENT)
        socket = await customer.wait_for_socket()
        await customer.wait("the garbage", lambda: "nonsense" in socket.messages)
        assert socket.messages.count("nonsense") == 1

    async def test_can_stall_and_then_come_in_a_burst(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        socket = await customer.wait_for_socket()
        await customer.wait("some frames", lambda: len(stamps(socket)) > 10)
        await lab.send("POST", "/faults", {"target": "media", "act": "stall", "call_id": sid, "ms": 1500})
        await customer.wait("all that was held up", lambda: len(stamps(socket)) > 110)
        pauses = [later - earlier for earlier, later in pairwise(socket.arrived)]
        longest = pauses.index(max(pauses))
        assert pauses[longest] > 1.2
        assert sum(pauses[longest + 1 : longest + 50]) < 0.8
        assert stamps(socket)[:100] == list(range(0, 2000, 20))


class TestAFault:
    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (None, "an object"),
            ({"target": "moon", "act": "drop"}, "target must be one of"),
            ({"target": "media", "act": "drop"}, "does not apply to media"),
            ({"target": "rest", "act": "status", "status": 200}, "from 400 to 599"),
            ({"target": "rest", "act": "hang", "times": 0}, "times must be"),
            ({"target": "rest", "act": "hang", "sticky": True}, "has no sticky"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, raw: object, why: str) -> None:
        with pytest.raises(BadFault, match=why):
            FaultBook().set(raw)

    def test_hits_as_often_as_it_was_told_and_only_what_it_names(self) -> None:
        book = FaultBook()
        book.set({"target": "callback", "act": "drop", "carrier": "plivo", "event": "Ring", "times": 2})
        hits = [
            book.take(Target.CALLBACK, carrier, "c", event) is not None
            for carrier, event in [("twilio", "Ring"), ("plivo", "Hangup"), *[("plivo", "Ring")] * 3]
        ]
        assert hits == [False, False, True, True, False]
        assert book.all() == []


class TestATimeline:
    async def test_tells_a_call_from_start_to_end(self, hurried: Lab, customer: Customer) -> None:
        sid = await run_call(hurried, customer)
        await hurried.call_until(sid, "ended")
        call = await hurried.get(f"/calls/{sid}")
        told = [event for event in events(call) if event != "callback" and not event.startswith("says")]
        assert told == ["asked for", "initiated", "ringing", "in_progress", "ends", "ended"]
        assert [entry["ms"] for entry in call["timeline"]] == sorted(entry["ms"] for entry in call["timeline"])
