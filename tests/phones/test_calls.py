"""Phone calls through each carrier, from the API's answer to the bill: dialed, answered, busy, and called."""

import numpy as np
import pytest
from tests.support.asking import phone, web
from tests.support.phone_lab import CREDENTIALS, PhoneLab, phone_lab, working
from tests.support.waiting import until

from carrierbox import stock
from rymi_server.foundation.database import Database

TALKS, BUSY, NOBODY, REJECTS, VOICEMAIL = (f"+1202555010{digit}" for digit in (0, 1, 2, 3, 4))

OBSTACLES = {
    "no credit": "update credit_accounts set balance = 0",
    "paused": "update tenants set paused_at = now(), paused_reason = 'unpaid'",
    "no line free": "update tenants set plan = 'free'",
    "nobody answers": "update phone_numbers set agent_id = null",
}

each_carrier = pytest.mark.parametrize("provider", CREDENTIALS)


@each_carrier
class TestOutbound:
    async def test_rings_connects_and_ends_with_what_the_carrier_bills(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        body = {"agent_id": await acme.new_agent(), "participants": [{"transport": "pstn", "identity": TALKS}]}
        made = (await acme.post("/v1/calls", body)).json()
        leg_id = made["participants"][0]["telephony_leg_id"]
        running = await lab.until_status(acme, made["id"], "in_progress")
        assert running["participants"][0]["status"] == "active"
        ended = await lab.until_status(acme, made["id"], "completed", seconds=60)
        assert ended["end_reason"] == "user_disconnect"
        person = next(each for each in ended["participants"] if each["transport"] == "pstn")
        assert (person["status"], person["leave_reason"]) == ("left", "hung_up")
        leg = await lab.until_leg(leg_id, status="completed", reason=None)
        assert leg["provider"] == provider
        assert leg["from_number"] in stock.NUMBERS[provider]
        assert leg["bill_duration"] > 0
        messages = [event["message"] for event in ended["events"]]
        for said in ("PSTN leg handed to the carrier", "PSTN leg is ringing", "PSTN leg connected"):
            assert said in messages

    @pytest.mark.parametrize(("number", "reason"), [(BUSY, "busy"), (REJECTS, "rejected")], ids=["busy", "rejects"])
    async def test_says_why_nobody_came(self, lab: PhoneLab, provider: str, number: str, reason: str) -> None:
        acme = await lab.customer(provider)
        body = {"agent_id": await acme.new_agent(), "participants": [{"transport": "pstn", "identity": number}]}
        made = (await acme.post("/v1/calls", body)).json()
        failed = await lab.until_status(acme, made["id"], "failed")
        assert failed["end_reason"] == "dialing_failed"
        person = next(each for each in failed["participants"] if each["transport"] == "pstn")
        assert (person["telephony_leg"]["status"], person["telephony_leg"]["reason"]) == ("failed", reason)

    @pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "not recorded"])
    async def test_begins_with_the_notice_if_it_is_recorded(
        self, lab: PhoneLab, provider: str, is_recorded: bool
    ) -> None:
        await lab.box.script("+12025550132", {"do": "wait", "ms": 5_000})
        acme = await lab.customer(provider)
        agent = await acme.new_agent(features={"recording_notice": "This call is recorded for our records."})
        called = {"transport": "pstn", "identity": "+12025550132"}
        body = {"agent_id": agent, "participants": [called], "post_call": {"recording": {"enabled": is_recorded}}}
        made = (await acme.post("/v1/calls", body)).json()
        await lab.until_status(acme, made["id"], "completed", seconds=60)
        leg = await lab.leg(made["participants"][0]["telephony_leg_id"])
        # Nobody else says anything here.
        heard = lab.box.box.exchange.ledger.get(leg["provider_call_id"]).heard.samples
        assert bool((np.abs(heard.astype(np.int32)) > 1_000).any()) is is_recorded

    async def test_is_hung_up_at_the_carrier_when_the_call_is_ended(self, lab: PhoneLab, provider: str) -> None:
        await lab.box.script("+12025550132", {"do": "wait", "ms": 600_000})
        acme = await lab.customer(provider)
        body = {"agent_id": await acme.new_agent(), "participants": [{"transport": "pstn", "identity": "+12025550132"}]}
        made = (await acme.post("/v1/calls", body)).json()
        await lab.until_status(acme, made["id"], "in_progress")
        await acme.post(f"/v1/calls/{made['id']}/end")

        async def gone() -> bool:
            return not await lab.calls_in_box(state="in-progress")

        await until("the carrier to hang up", gone)
        await lab.until_leg(made["participants"][0]["telephony_leg_id"], status="completed")
        assert (await lab.detail(acme, made["id"]))["end_reason"] == "ended_by_api"


class TestTheCallerId:
    async def test_is_a_number_of_the_account_or_one_that_was_registered(self, lab: PhoneLab) -> None:
        acme, strange = await lab.customer("twilio"), "+12025559998"
        agent = await acme.new_agent()
        one = {"agent_id": agent, "participants": [phone(TALKS, from_number=strange)]}
        batch = {"agent_id": agent, "to": [TALKS], "from_number": strange}
        for path, body in (("/v1/calls", one), ("/v1/calls/batch", batch)):
            refused = await acme.post(path, body)
            assert (refused.status_code, refused.json()["code"]) == (400, "from_number_unknown")
            assert refused.json()["numbers"] == [strange]
        await acme.post("/v1/numbers", {"number": strange})
        assert (await acme.post("/v1/calls", one)).status_code == 202
        own = {"agent_id": agent, "participants": [phone(TALKS, from_number=stock.NUMBERS["twilio"][0])]}
        assert (await acme.post("/v1/calls", own)).status_code == 202


@each_carrier
class TestInbound:
    async def called(self, lab: PhoneLab, provider: str, number: str) -> str:
        body = {"carrier": provider, "to": number, "from": "+12025550188"}
        call: str = (await lab.box.send("POST", "/calls", body))["id"]
        return call

    async def test_is_answered_by_the_agent_of_the_number(self, lab: PhoneLab, provider: str) -> None:
        acme, number = await lab.customer(provider), stock.NUMBERS[provider][0]
        agent = await acme.new_agent()
        await acme.post("/v1/numbers", {"number": number, "agent_id": agent})

        async def routed() -> bool:
            listed = (await acme.get("/v1/numbers")).json()["numbers"]
            return bool(listed[0]["webhook_status"] == "configured")

        await until("the number to point to us", routed)
        await self.called(lab, provider, number)

        async def there() -> bool:
            return (await acme.get("/v1/calls/active")).json()["total"] == 1

        await until("the call", there)
        (call,) = (await acme.get("/v1/calls/active")).json()["calls"]
        assert call["agent_id"] == agent
        assert call["primary_participant"] == {"identity": "+12025550188", "transport": "pstn"}
        ended = await lab.until_status(acme, call["id"], "completed", seconds=60)
        assert (ended["direction"], ended["end_reason"]) == ("inbound", "user_disconnect")
        leg = next(each for each in ended["participants"] if each["transport"] == "pstn")["telephony_leg"]
        await lab.until_leg(leg["id"], status="completed", to_number=number, from_number="+12025550188")

    @pytest.mark.parametrize("obstacle", ["no credit", "paused", "no line free", "nobody answers"])
    async def test_is_turned_down_as_the_carrier_allows(self, idle_lab: PhoneLab, provider: str, obstacle: str) -> None:
        lab = idle_lab
        acme, number = await lab.customer(provider), stock.NUMBERS[provider][0]
        await acme.post("/v1/numbers", {"number": number, "agent_id": await acme.new_agent()})

        async def routed() -> bool:
            listed = (await acme.get("/v1/numbers")).json()["numbers"]
            return bool(listed[0]["webhook_status"] == "configured")

        # A job that came later would give the number back once nobody answers it.
        async with working(lab):
            await until("the number to point to us", routed)
        await acme.post("/v1/calls", {"agent_id": await acme.new_agent(), "participants": [web()]})
        async with lab.database.transaction() as tx:
            await tx.exec_driver_sql(OBSTACLES[obstacle])
        call = await lab.box.call_until(await self.called(lab, provider, number), "ended")
        # Vonage has neither a busy signal nor a refusal: it says a sentence and ends.
        said = {"twilio": "busy", "plivo": "busy", "vonage": "document_over"}
        reason = said[provider] if obstacle != "nobody answers" or provider == "vonage" else "rejected"
        assert call["reason"] == reason
        assert lab.bridged == []
        assert (await acme.get("/v1/calls")).json()["total"] == 1


@each_carrier
class TestABatch:
    async def test_tells_a_busy_a_silent_and_a_listed_number_apart_from_those_who_answered(
        self, lab: PhoneLab, provider: str
    ) -> None:
        acme = await lab.customer(provider)
        await acme.post("/v1/dnc", {"phone_number": "+12025550190"})
        numbers = [TALKS, BUSY, REJECTS, NOBODY, VOICEMAIL, "+12025550190"]
        body = {"agent_id": await acme.new_agent(), "to": numbers, "skip_dnc": True}
        batch = (await acme.post("/v1/calls/batch", body)).json()
        assert (batch["queued"], batch["skipped"]) == (5, ["+12025550190"])
        calls = {call["participants"][0]["identity"]: call["id"] for call in batch["calls"]}
        wanted = {TALKS: "completed", VOICEMAIL: "completed", BUSY: "failed", REJECTS: "failed", NOBODY: "failed"}
        for number, status in wanted.items():
            await lab.until_status(acme, calls[number], status, seconds=60)
        for number, reason in ((BUSY, "busy"), (REJECTS, "rejected"), (NOBODY, "no_answer")):
            people = (await lab.detail(acme, calls[number]))["participants"]
            leg = next(each for each in people if each["transport"] == "pstn")["telephony_leg"]
            assert (leg["status"], leg["reason"]) == ("failed", reason)
        progress = (await acme.get(f"/v1/calls/batch/{batch['batch_id']}")).json()
        assert progress["by_status"]["failed"] == 3
        machine = await lab.detail(acme, calls[VOICEMAIL])
        leg = next(each for each in machine["participants"] if each["transport"] == "pstn")["telephony_leg"]
        assert leg["answered_by"] == "machine"
        assert "An answering machine answered" in [event["message"] for event in machine["events"]]
        assert {call["to"] for call in await lab.calls_in_box()} == set(wanted)


class TestAWarmTransfer:
    async def test_stops_ringing_the_human_when_the_caller_hangs_up(self, lab: PhoneLab) -> None:
        acme, human = await lab.customer("twilio"), "+12025550133"
        await lab.box.script("+12025550132", {"do": "stay"})
        await lab.box.script(human, {"do": "stay"}, ring_ms=600_000)
        body = {"agent_id": await acme.new_agent(), "participants": [{"transport": "pstn", "identity": "+12025550132"}]}
        made = (await acme.post("/v1/calls", body)).json()
        await lab.until_status(acme, made["id"], "in_progress")
        begun = (await acme.post(f"/v1/calls/{made['id']}/transfer", {"to": human})).json()
        rung = begun["participant"]["telephony_leg_id"]
        await lab.until_leg(rung, status="ringing")
        caller = await lab.leg(made["participants"][0]["telephony_leg_id"])
        await lab.box.send("POST", f"/calls/{caller['provider_call_id']}/hang-up")
        ended = await lab.until_status(acme, made["id"], "completed")
        assert ended["end_reason"] == "user_disconnect"
        await lab.until_leg(rung, status="failed", reason="canceled")

    async def test_does_not_wait_for_a_batch_that_is_dialed(self, own_database: Database) -> None:
        slow = {name: {"calls_per_second": 1} for name in CREDENTIALS}
        async with phone_lab(own_database, speed=1, carrier_limits=slow) as lab:
            acme, human = await lab.customer("twilio"), "+12025550133"
            agent = await acme.new_agent()
            await lab.box.script("+12025550132", {"do": "stay"}, ring_ms=100)
            called = {"transport": "pstn", "identity": "+12025550132"}
            made = (await acme.post("/v1/calls", {"agent_id": agent, "participants": [called]})).json()
            await lab.until_status(acme, made["id"], "in_progress")
            batch = {"agent_id": agent, "to": [f"+1202555{2000 + number}" for number in range(60)]}
            assert (await acme.post("/v1/calls/batch", batch)).status_code == 202

            async def is_dialed() -> bool:
                return len(await lab.calls_in_box()) > 3

            await until("the batch to be dialed", is_dialed)
            assert (await acme.post(f"/v1/calls/{made['id']}/transfer", {"to": human})).status_code == 202

            async def is_rung() -> bool:
                return bool(await lab.calls_in_box(to=human))

            await until("the human to be rung", is_rung)
            placed = await lab.calls_in_box()
        assert len(placed) < 20, "most of the batch is still to be dialed"


class TestConference:
    async def test_dials_everybody_into_one_call(self, lab: PhoneLab) -> None:
        acme = await lab.customer("plivo")
        people = [phone(number) for number in (TALKS, "+12025550110")]
        for each in people:
            del each["from_number"]
        made = (await acme.post("/v1/calls", {"agent_id": await acme.new_agent(), "participants": people})).json()
        await lab.until_status(acme, made["id"], "completed", seconds=60)
        assert len(lab.bridged) == 2
