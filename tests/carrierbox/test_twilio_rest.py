"""Twilio's REST as its own client sees it: accounts, numbers, limits and refusals under Twilio's codes."""

import asyncio
from datetime import datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from tests.carrierbox.carrier_sdks import twilio_client
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import SILENT, Lab
from tests.carrierbox.test_twilio_calls import FROM, SOMEBODY, place, stream_document
from twilio.base.exceptions import TwilioRestException

from carrierbox import stock

WAIT = ("text/xml", '<Response><Pause length="20"/></Response>')


class TestTwiliosRest:
    async def test_tells_the_account(self, lab: Lab) -> None:
        client = twilio_client(lab.address)
        account = await asyncio.to_thread(lambda: client.api.accounts(stock.TWILIO_SID).fetch())
        assert (account.friendly_name, account.status, account.type) == ("carrierbox Twilio", "active", "Full")

    async def test_knows_no_wrong_token(self, lab: Lab) -> None:
        client = twilio_client(lab.address, "wrong")
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(lambda: client.api.accounts(stock.TWILIO_SID).fetch())
        assert (refusal.value.status, refusal.value.code) == (401, 20003)

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"to": "12"}, 400, 21211),
            ({"from_": "+12025550199"}, 400, 21210),
            ({"from_": "x"}, 400, 21212),
            ({"url": "ftp://x"}, 400, 21205),
            ({"url": "http://my_host/answer"}, 400, 21205),
            ({"status_callback": "http://my_host/status"}, 400, 21609),
            ({"status_callback_event": ["answered", "sneezed"]}, 400, 21626),
            ({"timeout": 601}, 400, 20001),
            ({"send_digits": "12x"}, 400, 13222),
            ({"url": None, "twiml": "<Response>"}, 400, 12100),
            ({"url": None, "twiml": f"<Response><Say>{'x' * 4000}</Say></Response>"}, 400, 21218),
            ({"machine_detection": "Maybe"}, 400, 20001),
        ],
    )
    async def test_refuses_orders_with_twilios_codes(
        self, lab: Lab, customer: Customer, change: dict[str, Any], status: int, code: int
    ) -> None:
        client = twilio_client(lab.address)
        ask = {"to": SOMEBODY, "from_": FROM, "url": f"{customer.address}/answer"} | change
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(lambda: client.calls.create(**{k: v for k, v in ask.items() if v is not None}))
        assert (refusal.value.status, refusal.value.code) == (status, code)
        assert (await lab.get("/calls"))["calls"] == []

    async def test_pages_through_numbers(self, lab: Lab) -> None:
        for last in range(5):
            body = {"carrier": "twilio", "account_id": stock.TWILIO_SID, "number": f"+1202555{7000 + last}"}
            await lab.send("POST", "/numbers", body)
        client = twilio_client(lab.address)
        numbers = await asyncio.to_thread(lambda: client.incoming_phone_numbers.list(page_size=3))
        assert len({number.sid for number in numbers}) == 7

    async def test_changes_a_number_and_keeps_the_rest(self, lab: Lab) -> None:
        client = twilio_client(lab.address)
        number = (await asyncio.to_thread(client.incoming_phone_numbers.list))[0]
        await asyncio.to_thread(lambda: number.update(voice_url="https://a.example/x", trunk_sid="TK1"))
        changed = await asyncio.to_thread(lambda: number.update(trunk_sid=""))
        assert (changed.voice_url, changed.trunk_sid) == ("https://a.example/x", None)

    async def test_shows_no_account_the_calls_of_another(self, lab: Lab, customer: Customer) -> None:
        await lab.send("POST", "/accounts", {"carrier": "twilio", "id": "AC" + "2" * 32, "secret": "other"})
        sid = await place(lab, customer, to="+12025550102")
        path = f"{lab.address}/twilio/2010-04-01/Accounts/AC{'2' * 32}/Calls/{sid}.json"
        headers = {"Authorization": aiohttp.encode_basic_auth("AC" + "2" * 32, "other")}
        async with lab.http.get(path, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (404, 20404)

    async def test_finds_calls_by_number_and_status(self, hurried: Lab, customer: Customer) -> None:
        await place(hurried, customer, to="+12025550101")
        await customer.wait_for_webhook("/status", CallStatus="busy")
        await place(hurried, customer, to="+12025550102")
        client = twilio_client(hurried.address)
        busy = await asyncio.to_thread(lambda: client.calls.list(status="busy"))
        ringing = await asyncio.to_thread(lambda: client.calls.list(to="+12025550102"))
        assert ([c.to for c in busy], [c.to for c in ringing]) == (["+12025550101"], ["+12025550102"])

    async def test_queues_calls_above_its_rate(self, hurried: Lab, customer: Customer) -> None:
        next(a for a in hurried.box.accounts.all() if a.carrier == "twilio").calls_per_second = 0.1
        sids = [await place(hurried, customer, to="+12025550101") for _ in range(3)]
        calls = [await hurried.call_until(sid, "initiated") for sid in sids]
        turns = [datetime.fromisoformat(c["created_at"]).timestamp() + c["queue_ms"] / 1000 for c in calls]
        assert [b - a for a, b in pairwise(turns)] == [pytest.approx(10, abs=2)] * 2
        began = [next(e["ms"] for e in call["timeline"] if e["event"] == "initiated") for call in calls]
        assert all(ms >= call["queue_ms"] for ms, call in zip(began, calls, strict=True))

    async def test_refuses_more_calls_than_the_box_carries(self, hurried: Lab, customer: Customer) -> None:
        for _ in range(20):
            await place(hurried, customer, to="+12025550102", timeout=600)
        with pytest.raises(TwilioRestException, match="at most 20 calls at once") as refusal:
            await place(hurried, customer)
        assert refusal.value.status == 429

    async def test_cancels_a_ringing_call(self, lab: Lab, customer: Customer) -> None:
        sid = await place(lab, customer, to="+12025550102")
        await lab.call_until(sid, "ringing")
        client = twilio_client(lab.address)
        await asyncio.to_thread(lambda: client.calls(sid).update(status="canceled"))
        await customer.wait_for_webhook("/status", CallStatus="canceled")


class TestMachineDetection:
    async def test_holds_the_document_back_until_the_verdict(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = WAIT
        await place(hurried, customer, to="+12025550104", machine_detection="Enable")
        asked = await customer.wait_for_webhook("/answer")
        assert asked.form["AnsweredBy"] == "machine_start"
        assert int(asked.form["MachineDetectionDuration"]) >= 3400

    async def test_tells_the_verdict_later_if_asynchronous(self, hurried: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = WAIT
        more = {"async_amd": "true", "async_amd_status_callback": f"{customer.address}/amd"}
        await place(hurried, customer, to="+12025550109", machine_detection="Enable", **more)
        told = await customer.wait_for_webhook("/amd")
        assert told.form["AnsweredBy"] == "unknown"
        assert "AnsweredBy" not in customer.at("/answer")[0].form

    async def test_waits_for_the_end_of_the_greeting(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = WAIT
        await lab.script(SOMEBODY, {"do": "wait", "ms": 300}, {"do": "beep"}, {"do": "stay"}, being="machine")
        sid = await place(lab, customer, machine_detection="DetectMessageEnd")
        asked = await customer.wait_for_webhook("/answer")
        assert asked.form["AnsweredBy"] == "machine_end_beep"
        fetched = await asyncio.to_thread(lambda: twilio_client(lab.address).calls(sid).fetch())
        assert fetched.answered_by == "machine_end_beep"


class TestAnotherLeg:
    async def test_is_dialed_and_both_hear_each_other(self, lab: Lab, customer: Customer) -> None:
        other = "+12025550131"
        customer.documents["/answer"] = ("text/xml", f"<Response><Dial>{other}</Dial></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        await lab.script(other, {"do": "wait", "ms": 200}, {"do": "press", "digits": "7"}, {"do": "wait", "ms": 500})
        sid = await place(lab, customer)
        call = await lab.call_until(sid, "ended")
        assert "heard key 7" in [entry["event"] for entry in call["timeline"]]
        child = next(c for c in (await lab.get("/calls"))["calls"] if c["parent_id"] == sid)
        assert (child["to"], child["ended_by"], call["reason"]) == (other, "party", "document_over")

    async def test_hangs_up_with_its_parent(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("text/xml", "<Response><Dial>+12025550109</Dial></Response>")
        await lab.script(SOMEBODY, {"do": "wait", "ms": 800})
        sid = await place(lab, customer)
        await lab.call_until(sid, "ended")
        child = next(c for c in (await lab.get("/calls"))["calls"] if c["parent_id"] == sid)
        assert (await lab.call_until(child["id"], "ended"))["ended_by"] == "carrier"

    async def test_is_not_connected_to_the_application(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        response = await place(lab, customer, to=SILENT)
        await customer.wait_for_socket()
        client = twilio_client(lab.address)
        await asyncio.to_thread(
            lambda: client.calls(response).update(twiml="<Response><Dial>+12025550101</Dial></Response>")
        )
        over = await lab.call_until(response, "ended")
        assert over["reason"] == "document_over"
        assert len(customer.sockets) == 1
