"""What carriers, forgers and crashes do to calls: no leg is dialed twice, none is lost, and the API says why."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.support.asking import Customer
from tests.support.phone_lab import BOX, CREDENTIALS, LIMITS, PhoneLab, phone_lab
from tests.support.up import ROOT
from tests.support.waiting import until

from rymi_server.foundation.database import Database

SILENT, STRANGER = "+12025550132", "+12025550140"
each_carrier = pytest.mark.parametrize("provider", CREDENTIALS)
RINGING = {"twilio": "ringing", "plivo": "Ring", "vonage": "ringing"}
ENDED = {"twilio": "completed", "plivo": "Hangup", "vonage": "completed"}


async def call(lab: PhoneLab, acme: Customer, number: str = STRANGER) -> tuple[str, str]:
    """The ids of a call and of its leg."""
    body = {"agent_id": await acme.new_agent(), "participants": [{"transport": "pstn", "identity": number}]}
    answer = await acme.post("/v1/calls", body)
    assert answer.status_code == 202, answer.text
    made = answer.json()
    return made["id"], made["participants"][0]["telephony_leg_id"]


async def minutes_pass(lab: PhoneLab) -> None:
    """For whoever waits for news of what was dialed."""
    async with lab.database.transaction() as tx:
        await tx.exec_driver_sql("update telephony_legs set claimed_at = claimed_at - interval '2 minutes'")


async def rang(lab: PhoneLab, number: str) -> int:
    return len(await lab.calls_in_box(to=number))


@each_carrier
class TestCallbacks:
    @pytest.mark.parametrize("act", ["forge", "unsigned"])
    async def test_that_are_not_the_carriers_change_nothing(self, lab: PhoneLab, provider: str, act: str) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="callback", act=act, event=RINGING[provider])
        call_id, leg_id = await call(lab, acme)
        await lab.until_status(acme, call_id, "completed", seconds=60)
        timeline = (await lab.box.get(f"/calls/{(await lab.leg(leg_id))['provider_call_id']}"))["timeline"]
        told = [each["outcome"] for each in timeline if each.get("kind") == RINGING[provider]]
        refused = {"twilio": "403", "plivo": "403", "vonage": "503"}[provider]
        assert told[0] == refused, told
        assert told[-1] == "204", told

    @pytest.mark.parametrize(
        ("act", "events"),
        [("duplicate", RINGING), ("replay", ENDED), ("reorder", RINGING), ("drop", ENDED)],
        ids=["ringing is doubled", "the end is replayed", "ringing is late", "the end is lost"],
    )
    async def test_doubled_replayed_reordered_or_lost_come_to_the_same(
        self, lab: PhoneLab, provider: str, act: str, events: dict[str, str]
    ) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="callback", act=act, event=events[provider], ms=500)
        call_id, leg_id = await call(lab, acme)
        ended = await lab.until_status(acme, call_id, "completed", seconds=60)
        joined = [event for event in ended["events"] if event["message"] == "PSTN leg connected"]
        assert (len(joined), await rang(lab, STRANGER)) == (1, 1)
        assert (await lab.leg(leg_id))["status"] in ("completed", "in_progress")

    async def test_that_are_sent_again_word_for_word_are_known_where_the_carrier_names_each(
        self, lab: PhoneLab, provider: str
    ) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="callback", act="replay", event=RINGING[provider], ms=200)
        call_id, leg_id = await call(lab, acme)
        await lab.until_status(acme, call_id, "completed", seconds=60)
        at_carrier = (await lab.leg(leg_id))["provider_call_id"]
        again = {"twilio": "204", "plivo": "204", "vonage": "403"}[provider]

        async def told() -> bool:
            timeline = (await lab.box.get(f"/calls/{at_carrier}"))["timeline"]
            return [each["outcome"] for each in timeline if each.get("kind") == RINGING[provider]] == ["204", again]

        await until(f"the first to be taken and the second to be answered with {again}", told)

    async def test_that_are_late_fill_in_what_was_not_known(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="callback", act="delay", event=ENDED[provider], ms=8000)
        call_id, leg_id = await call(lab, acme)
        ended = await lab.until_status(acme, call_id, "completed", seconds=60)
        assert ended["end_reason"] == "user_disconnect"
        leg = await lab.until_leg(leg_id, status="completed")
        assert leg["bill_duration"] is not None

    async def test_about_nobodys_leg_get_a_good_answer(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        call_id, _ = await call(lab, acme)
        await lab.until_status(acme, call_id, "in_progress", "completed")
        async with lab.database.transaction() as tx:
            await tx.exec_driver_sql("delete from telephony_legs")
        carrier_call = (await lab.calls_in_box(to=STRANGER))[0]["id"]
        await lab.box.call_until(carrier_call, "ended")

        async def told() -> bool:
            timeline = (await lab.box.get(f"/calls/{carrier_call}"))["timeline"]
            return any(each.get("kind") == ENDED[provider] and each["outcome"] == "204" for each in timeline)

        await until("the last callback to be answered", told)

    async def test_with_a_wrong_key_in_their_address_find_nothing(self, lab: PhoneLab, provider: str) -> None:
        await lab.customer(provider)
        for path in (f"/carriers/{provider}/con_1/{'0' * 32}/answer", "/carriers/nobody/con_1/key/status"):
            answer = await lab.http.post(path, data={"CallSid": "CA1"})
            assert (answer.status_code, answer.content) == (404, b"")


class TestTwilioThatSignsWithoutThePort:
    async def test_is_believed_from_the_first_word_to_the_last(self, own_database: Database) -> None:
        """Our own address has one here."""
        async with phone_lab(own_database, box_settings=replace(BOX, twilio_signs_ports=False)) as lab:
            acme = await lab.customer("twilio")
            call_id, leg_id = await call(lab, acme)
            ended = await lab.until_status(acme, call_id, "completed", seconds=60)
            assert ended["end_reason"] == "user_disconnect"
            timeline = (await lab.box.get(f"/calls/{(await lab.leg(leg_id))['provider_call_id']}"))["timeline"]
            told = {each["kind"]: each["outcome"] for each in timeline if each["event"] == "callback"}
            assert {"ringing", "answer"} <= told.keys()
            assert "403" not in told.values()


@each_carrier
class TestACarrierThat:
    async def test_breaks_off_after_placing_is_asked_and_rings_once(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="rest", act="hang_after", event="place_call", ms=50, times=1)
        call_id, leg_id = await call(lab, acme)
        await lab.until_status(acme, call_id, "completed", seconds=60)
        assert await rang(lab, STRANGER) == 1
        assert (await lab.leg(leg_id))["provider_call_id"]

    async def test_slows_us_down_is_dialed_again_and_rings_once(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="rest", act="status", status=429, event="place_call", times=1)
        call_id, leg_id = await call(lab, acme)
        await lab.until_status(acme, call_id, "completed", seconds=60)
        assert (await rang(lab, STRANGER), (await lab.leg(leg_id))["attempts"]) == (1, 0)

    @pytest.mark.parametrize(("status", "body"), [(500, ""), (502, "<html>Bad Gateway</html>")])
    async def test_answers_what_nobody_understands_is_asked_what_became_of_it_and_never_dialed_again(
        self, lab: PhoneLab, provider: str, status: int, body: str
    ) -> None:
        acme = await lab.customer(provider)
        await lab.fault(target="rest", act="status", status=status, body=body, event="place_call", times=1)
        call_id, leg_id = await call(lab, acme)

        async def asked() -> bool:
            return not (await lab.box.get("/faults"))["faults"]

        await until("the carrier to be asked", asked)
        await minutes_pass(lab)
        failed = await lab.until_status(acme, call_id, "failed", seconds=60)
        leg = next(each for each in failed["participants"] if each["transport"] == "pstn")["telephony_leg"]
        assert (leg["reason"], await rang(lab, STRANGER)) == ("outcome_unknown", 0)
        assert any("dialing was interrupted" in event["message"] for event in failed["events"])
        assert (await lab.leg(leg_id))["provider_call_id"] is None

    async def test_refuses_says_why(self, lab: PhoneLab, provider: str) -> None:
        acme = await lab.customer(provider)
        body = {
            "agent_id": await acme.new_agent(),
            "participants": [{"transport": "pstn", "identity": STRANGER, "from_number": "+12025559999"}],
        }
        # We take the tenant's word for it that the carrier has verified this one.
        await acme.post("/v1/numbers", {"number": "+12025559999"})
        made = (await acme.post("/v1/calls", body)).json()
        failed = await lab.until_status(acme, made["id"], "failed")
        leg = next(each for each in failed["participants"] if each["transport"] == "pstn")["telephony_leg"]
        assert leg["reason"] == "carrier_refused"
        assert leg["cause"]
        assert await rang(lab, STRANGER) == 0


@each_carrier
class TestACarrierThatIsDown:
    async def test_is_tried_again_and_the_log_says_so(self, own_database: Database, provider: str) -> None:
        async with phone_lab(own_database, works=False) as lab:
            acme = await lab.customer(provider)
        # Nothing listens where the box was.
        async with phone_lab(own_database, **{f"{provider}_url": "http://127.0.0.1:9"}) as down:
            acme = Customer(down.http, acme.tenant, acme.key)
            call_id, _ = await call(down, acme)

            async def told() -> bool:
                events = (await acme.get(f"/v1/calls/{call_id}/events")).json()["events"]
                return any("cannot be reached; trying again" in event["message"] for event in events)

            await until("the log to say that the carrier is away", told)
            assert (await down.detail(acme, call_id))["status"] == "queued"


@each_carrier
class TestASocketThatIsTurnedAway:
    async def test_leaves_no_phone_on_the_line(self, lab: PhoneLab, provider: str) -> None:
        """Plivo does not end the call by itself."""
        lab.door_secret = "the secret of another installation"
        acme = await lab.customer(provider)
        await lab.box.script(STRANGER, {"do": "stay"}, ring_ms=100)
        call_id, leg_id = await call(lab, acme)

        async def turned_away() -> bool:
            return leg_id in lab.refused and bool((await lab.leg(leg_id))["answered_at"])

        await until("the socket to be turned away", turned_away)
        async with lab.database.transaction() as tx:
            long_ago = "now() - interval '3 minutes'"
            await tx.exec_driver_sql(
                f"update telephony_legs set answered_at = {long_ago}, media_offered_at = {long_ago}"
            )
        leg = await lab.until_leg(leg_id, seconds=60, status="completed")
        assert (leg["reason"], (await lab.detail(acme, call_id))["status"]) == ("no_media", "failed")


@contextmanager
def worker_process(lab: PhoneLab) -> Iterator["subprocess.Popen[bytes]"]:
    """`rymi worker` as a process of its own, to be killed."""
    limits = str(LIMITS).replace("'", '"')
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RYMI_")},
        "DATABASE_URL": lab.settings.required_database_url(),
        "RYMI_SECRET": lab.settings.secret,
        "PUBLIC_BASE_URL": lab.settings.public_base_url,
        "PUBLIC_MEDIA_URL": lab.settings.media_url or "",
        "RYMI_TWILIO_URL": lab.settings.twilio_url,
        "RYMI_PLIVO_URL": lab.settings.plivo_url,
        "RYMI_VONAGE_URL": lab.settings.vonage_url,
        "RYMI_VONAGE_ACCOUNT_URL": lab.settings.vonage_account_url,
        "RYMI_CARRIER_LIMITS": limits,
        "RYMI_WORKER_PORT": "0",
        "LIVEKIT_URL": lab.settings.livekit_url,
        "LIVEKIT_API_KEY": lab.settings.livekit_api_key,
        "LIVEKIT_API_SECRET": lab.settings.livekit_api_secret,
    }
    command = [sys.executable, "-m", "rymi_server.entrypoints.worker"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def idle(own_database: Database) -> AsyncIterator[PhoneLab]:
    """No worker but those that a test starts."""
    async with phone_lab(own_database, works=False) as lab:
        yield lab


async def claimed(lab: PhoneLab, leg_id: str) -> bool:
    return (await lab.leg(leg_id))["claimed_at"] is not None


@each_carrier
class TestAWorkerThatIsKilled:
    """While the carrier has the request: before it has placed the call, and after."""

    @pytest.mark.parametrize("act", ["hang", "hang_after"], ids=["before the carrier placed it", "after"])
    async def test_leaves_no_leg_dialed_twice_and_none_without_an_end(
        self, idle: PhoneLab, provider: str, act: str
    ) -> None:
        acme = await idle.customer(provider)
        await idle.fault(target="rest", act=act, event="place_call", ms=600_000, times=1)
        call_id, leg_id = await call(idle, acme, SILENT if act == "hang" else STRANGER)
        with worker_process(idle) as worker:
            await until("the leg to be claimed", lambda: claimed(idle, leg_id), seconds=60)
            await self._until_asked(idle, placed=act == "hang_after")
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        await minutes_pass(idle)
        with worker_process(idle):
            ended = await idle.until_status(acme, call_id, "completed", "failed", seconds=90)
        number = SILENT if act == "hang" else STRANGER
        assert await rang(idle, number) == (0 if act == "hang" else 1)
        leg: Any = next(each for each in ended["participants"] if each["transport"] == "pstn")["telephony_leg"]
        if act == "hang":
            assert (leg["status"], leg["reason"]) == ("failed", "outcome_unknown")
        else:
            assert leg["provider_call_id"]

    async def _until_asked(self, lab: PhoneLab, *, placed: bool) -> None:
        """The fault is used up by the request that it holds."""

        async def held() -> bool:
            if placed:
                return bool(await lab.calls_in_box())
            return not (await lab.box.get("/faults"))["faults"]

        await until("the carrier to be asked", held)
