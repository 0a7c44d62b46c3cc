"""Dialing legs: at most one ring, and a reason on record wherever there was none. `telephony/dialing.py`."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from tests.support.asking import CLOCK, Customer, new_customer, phone, web
from tests.support.calling import everybody_joins, jobs_in
from tests.support.clocks import SetClock
from tests.support.unasked_carrier import UnaskedCarrier
from tests.support.waiting import somebody_waits_in, until

from rymi_server.dnc.store import block
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import LegId, TenantId
from rymi_server.queue.later import Later
from rymi_server.telephony import store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.calling_hours import CallingHours, keep_to
from rymi_server.telephony.carriers.carrier import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    ConnectedCarrier,
    Dial,
    LegReport,
    OutcomeUnknown,
    PlacedCall,
    Search,
)
from rymi_server.telephony.dialing import Dialer
from rymi_server.telephony.leg_watch import LEFT_OPEN_FOR, SETTLED_AFTER, LegWatch
from rymi_server.telephony.models import Leg, LegReason, LegStatus, dial_pace

ADDRESSES = CarrierAddresses.under("https://voice.example.com", None, "a secret")
NUMBER = "+15551234567"


class NotedCarrier(UnaskedCarrier):
    """Notes whom it rang. Stands in for the phone company, which is outside."""

    name = "noted"

    def __init__(
        self,
        *errors: Exception,
        knows: bool = True,
        per_second: float = 1_000,
        at_once: int | None = None,
        refuses_excess: bool = True,
    ) -> None:
        self.rang: list[LegId] = []
        self.rang_at: list[float] = []
        self.dials: list[Dial] = []
        self._errors = list(errors)
        self._knows = knows
        self._limits = per_second, at_once, refuses_excess

    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        return ConnectedCarrier("con_1", "noted:1", self, *self._limits)

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        return await self.of(tx, TenantId(""))

    async def place_call(self, dial: Dial) -> str:
        self.rang.append(dial.leg_id)
        self.rang_at.append(time.monotonic())
        self.dials.append(dial)
        if self._errors:
            raise self._errors.pop(0)
        return f"carrier-{dial.leg_id}"

    async def find_calls(self, search: Search) -> Sequence[str]:
        return [f"carrier-{self.rang[-1]}"] if self._knows and search.to_number == NUMBER else []

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        return LegReport(call.id, LegStatus.RINGING)


class HeldUpCarrier(NotedCarrier):
    """Is found too late for the turn that it is looked up for."""

    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        await asyncio.sleep(0.12)
        return await super().of(tx, tenant_id)


class CarrierThatCannotTell(NotedCarrier):
    async def find_calls(self, search: Search) -> Sequence[str]:
        raise OutcomeUnknown("there are more running calls than can be looked at")


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http)


async def waiting_leg(acme: Customer) -> LegId:
    body = {"agent_id": await acme.new_agent(), "participants": [phone(NUMBER)]}
    leg: str = (await acme.post("/v1/calls", body)).json()["participants"][0]["telephony_leg_id"]
    return LegId(leg)


async def awaited_legs(database: Database, acme: Customer, many: int = 1) -> list[LegId]:
    """Legs of people who are added to a call that somebody is in."""
    call = (await acme.post("/v1/calls", {"agent_id": await acme.new_agent(), "participants": [web()]})).json()["id"]
    await everybody_joins(database, call)
    people = [phone(f"+1555123{number}") for number in range(4000, 4000 + many)]
    added = await acme.post(f"/v1/calls/{call}/participants", {"participants": people})
    return [LegId(each["telephony_leg_id"]) for each in added.json()["participants"]]


@pytest.fixture
async def leg_id(acme: Customer) -> LegId:
    """A leg that waits to be dialed."""
    return await waiting_leg(acme)


def dialer(database: Database, carrier: NotedCarrier, clock: Clock = CLOCK) -> Dialer:
    return Dialer(database, carrier, ADDRESSES, clock)


class TestDialing:
    async def test_rings_once_however_often_the_job_runs(self, database: Database, leg_id: LegId) -> None:
        carrier = NotedCarrier()
        dial = dialer(database, carrier)
        await asyncio.gather(*(dial({"leg_id": leg_id}) for _ in range(5)))
        assert carrier.rang == [leg_id]
        leg = await _leg(database, leg_id)
        assert (leg.provider, leg.provider_call_id) == ("noted", f"carrier-{leg_id}")

    async def test_names_the_leg_and_a_key_in_every_address(self, database: Database, leg_id: LegId) -> None:
        carrier = NotedCarrier()
        await dialer(database, carrier)({"leg_id": leg_id})
        at = carrier.dials[0].addresses
        for address in (at.answer, at.status, at.machine, at.stream):
            assert address.startswith(f"https://voice.example.com/carriers/noted/con_1/legs/{leg_id}/")
            assert ADDRESSES.opens(f"con_1/{leg_id}", address.split("/")[-2])

    async def test_does_not_ring_a_number_that_was_listed_meanwhile(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        await acme.post("/v1/dnc", {"phone_number": NUMBER})
        carrier = NotedCarrier()
        await dialer(database, carrier)({"leg_id": leg_id})
        assert (carrier.rang, (await _leg(database, leg_id)).reason) == ([], "do_not_call")

    async def test_does_not_ring_a_number_that_is_listed_while_it_waits_to_decide(
        self, database: Database, acme: Customer
    ) -> None:
        carrier, clock = NotedCarrier(per_second=0.1), SetClock.from_now()
        dial, first, second = await _one_dialed_and_one_promised(database, acme, carrier, clock)
        clock.pass_by(seconds=9)
        async with database.transaction() as tx:
            await store.lock_with_call(tx, second)
            dialing = asyncio.create_task(dial({"leg_id": second}))
            await until("the dialer waits for the call", lambda: somebody_waits_in(database))
            await block(tx, acme.tenant.id, [NUMBER], "said so", CLOCK.now())
        await dialing
        assert (carrier.rang, (await _leg(database, second)).reason) == ([first], "do_not_call")

    async def test_does_not_ring_for_a_call_that_has_ended(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        await acme.post(f"/v1/calls/{(await _leg(database, leg_id)).call_id}/end")
        carrier = NotedCarrier()
        await dialer(database, carrier)({"leg_id": leg_id})
        assert (carrier.rang, (await _leg(database, leg_id)).reason) == ([], "call_ended")

    async def test_fails_the_call_when_the_carrier_refuses_and_says_why(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        refused = CarrierRefused("Twilio refuses (21211): no such number", reason=LegReason.INVALID_NUMBER)
        await dialer(database, NotedCarrier(refused))({"leg_id": leg_id})
        leg = await _leg(database, leg_id)
        call = (await acme.get(f"/v1/calls/{leg.call_id}")).json()
        assert leg.reason == "invalid_number"
        assert (call["status"], call["end_reason"]) == ("failed", "dialing_failed")
        assert any("21211" in event["message"] for event in call["events"])


class TestTryingAgain:
    async def test_dials_again_where_certainly_nothing_rang(self, database: Database, leg_id: LegId) -> None:
        carrier, clock = NotedCarrier(CarrierUnreachable("down"), CarrierThrottled("slow")), SetClock.from_now()
        dial = dialer(database, carrier, clock)
        for _ in range(2):
            with pytest.raises(Later):
                await dial({"leg_id": leg_id})
            clock.pass_by(seconds=3)
        await dial({"leg_id": leg_id})
        leg = await _leg(database, leg_id)
        assert (len(carrier.rang), leg.attempts, leg.provider_call_id) == (3, 1, f"carrier-{leg_id}")

    async def test_gives_up_on_a_carrier_that_stays_away(self, database: Database, leg_id: LegId) -> None:
        carrier, clock = NotedCarrier(*[CarrierUnreachable("down")] * 20), SetClock.from_now()
        dial = dialer(database, carrier, clock)
        for _ in range(7):
            with pytest.raises(Later):
                await dial({"leg_id": leg_id})
            clock.pass_by(seconds=61)
        await dial({"leg_id": leg_id})
        assert (len(carrier.rang), (await _leg(database, leg_id)).reason) == (8, "carrier_unreachable")


class Sleeps:
    """Notes how long was waited for, and waits so long where `real`. Holds everybody up while it is told to."""

    def __init__(self, *, real: bool) -> None:
        self.asked: list[float] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self._real = real

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        if self._real:
            await asyncio.sleep(seconds)
        await self.goes_on.wait()


class TestThePace:
    async def test_sends_away_whoever_has_their_turn_far_from_now(self, database: Database, acme: Customer) -> None:
        carrier, clock = NotedCarrier(per_second=0.1), SetClock.from_now()
        ids = [await waiting_leg(acme) for _ in range(3)]
        dial = dialer(database, carrier, clock)
        asked = await asyncio.gather(*(dial({"leg_id": leg_id}) for leg_id in ids), return_exceptions=True)
        assert len(carrier.rang) == 1
        assert sorted(each.delay_ms for each in asked if isinstance(each, Later)) == [8_300, 18_600]

    async def test_lets_in_who_comes_back_when_it_was_promised(self, database: Database, acme: Customer) -> None:
        carrier, clock = NotedCarrier(per_second=0.1), SetClock.from_now()
        dial, first, second = await _one_dialed_and_one_promised(database, acme, carrier, clock)
        clock.pass_by(seconds=9)
        await dial({"leg_id": second})
        assert carrier.rang == [first, second]

    async def test_costs_no_turn_where_a_call_has_ended_before_it(self, database: Database, acme: Customer) -> None:
        carrier, clock = NotedCarrier(per_second=0.1), SetClock.from_now()
        dial, first, second = await _one_dialed_and_one_promised(database, acme, carrier, clock)
        await acme.post(f"/v1/calls/{(await _leg(database, second)).call_id}/end")
        before = await _next_turn(database)
        clock.pass_by(seconds=9)
        await dial({"leg_id": second})
        assert await _next_turn(database) == before
        assert (carrier.rang, (await _leg(database, second)).reason) == ([first], "call_ended")

    async def test_leaves_less_room_below_the_limit_where_a_call_too_many_only_waits(
        self, database: Database, acme: Customer
    ) -> None:
        carrier, clock = NotedCarrier(per_second=0.1, refuses_excess=False), SetClock.from_now()
        ids = [await waiting_leg(acme) for _ in range(2)]
        dial = dialer(database, carrier, clock)
        asked = await asyncio.gather(*(dial({"leg_id": leg_id}) for leg_id in ids), return_exceptions=True)
        assert [each.delay_ms for each in asked if isinstance(each, Later)] == [8_050]

    async def test_waits_in_place_for_a_turn_that_is_near(self, database: Database, acme: Customer) -> None:
        carrier, sleep = NotedCarrier(per_second=1), Sleeps(real=False)
        ids = [await waiting_leg(acme) for _ in range(3)]
        dial = Dialer(database, carrier, ADDRESSES, CLOCK, sleep=sleep)
        await asyncio.gather(*(dial({"leg_id": leg_id}) for leg_id in ids))
        assert len(carrier.rang) == 3
        assert 1.5 < max(sleep.asked) < 2.06

    async def test_is_kept_to_by_those_who_were_held_up_together(self, database: Database, acme: Customer) -> None:
        limit, carrier, sleep = 20, NotedCarrier(per_second=20), Sleeps(real=True)
        ids = [await waiting_leg(acme) for _ in range(36)]
        workers = [Dialer(database, carrier, ADDRESSES, CLOCK, sleep=sleep) for _ in range(2)]
        dialing = [asyncio.create_task(workers[n % 2]({"leg_id": leg_id})) for n, leg_id in enumerate(ids)]

        async def some_rang() -> bool:
            return len(carrier.rang) > 5

        await until("some to have rung", some_rang)
        sleep.goes_on.clear()
        await asyncio.sleep(0.7)
        sleep.goes_on.set()
        await asyncio.gather(*dialing)
        assert sorted(carrier.rang) == sorted(ids)
        in_a_second = [
            sum(1 for other in carrier.rang_at[n:] if other < at + 1) for n, at in enumerate(carrier.rang_at)
        ]
        assert max(in_a_second) <= limit + 1

    @pytest.mark.parametrize("refuses", [True, False])
    async def test_loses_a_turn_that_was_missed_by_a_little_only_where_a_call_too_many_is_refused(
        self, database: Database, leg_id: LegId, refuses: bool
    ) -> None:
        carrier = HeldUpCarrier(per_second=20, refuses_excess=refuses)
        await dialer(database, carrier)({"leg_id": leg_id})
        assert carrier.rang == [leg_id]
        rang_ago = timedelta(seconds=time.monotonic() - carrier.rang_at[0])
        took_another = await _next_turn(database) > CLOCK.now() - rang_ago
        assert took_another == refuses

    async def test_takes_who_is_awaited_in_a_call_before_those_who_stand_in_line(
        self, database: Database, acme: Customer
    ) -> None:
        carrier, sleep = NotedCarrier(per_second=0.1), Sleeps(real=False)
        dial = Dialer(database, carrier, ADDRESSES, CLOCK, sleep=sleep)
        ids = [await waiting_leg(acme) for _ in range(10)]
        await asyncio.gather(*(dial({"leg_id": leg_id}) for leg_id in ids), return_exceptions=True)
        (awaited,) = await awaited_legs(database, acme)
        await dial({"leg_id": awaited})
        assert carrier.rang == [carrier.rang[0], awaited]
        assert 9 < max(sleep.asked) < 10.3, "it has waited for the next turn, and not longer"
        with pytest.raises(Later) as later:
            await dial({"leg_id": await waiting_leg(acme)})
        assert later.value.delay_ms > 11 * 10_300 - 3_000, "whoever comes now has one more before them"

    async def test_has_those_stand_in_line_who_are_too_many_awaited_at_once(
        self, database: Database, acme: Customer
    ) -> None:
        carrier, sleep = NotedCarrier(per_second=1), Sleeps(real=False)
        sleep.goes_on.clear()
        dial = Dialer(database, carrier, ADDRESSES, CLOCK, sleep=sleep)
        dialing = [asyncio.create_task(dial({"leg_id": leg_id})) for leg_id in await awaited_legs(database, acme, 30)]

        async def the_rest_is_sent_away() -> bool:
            return sum(each.done() for each in dialing) >= 20

        await until("the rest to be sent away", the_rest_is_sent_away)
        sleep.goes_on.set()
        asked = await asyncio.gather(*dialing, return_exceptions=True)
        assert 3 <= len(carrier.rang) <= 10
        assert max(each.delay_ms for each in asked if isinstance(each, Later)) > 20_000

    async def test_is_kept_to_with_some_who_are_awaited(self, database: Database, acme: Customer) -> None:
        limit, carrier = 20, NotedCarrier(per_second=20)
        awaited, ids = await awaited_legs(database, acme, 12), [await waiting_leg(acme) for _ in range(30)]
        workers = [Dialer(database, carrier, ADDRESSES, CLOCK) for _ in range(2)]
        await asyncio.gather(*(workers[n % 2]({"leg_id": leg_id}) for n, leg_id in enumerate([*ids, *awaited])))
        assert sorted(carrier.rang) == sorted([*ids, *awaited])
        in_a_second = [
            sum(1 for other in carrier.rang_at[n:] if other < at + 1) for n, at in enumerate(carrier.rang_at)
        ]
        assert max(in_a_second) <= limit + 1

    async def test_has_room_for_so_many_calls_at_once(self, database: Database, acme: Customer) -> None:
        carrier, clock = NotedCarrier(at_once=1), SetClock.from_now()
        dial = dialer(database, carrier, clock)
        first, second = await waiting_leg(acme), await waiting_leg(acme)
        await dial({"leg_id": first})
        with pytest.raises(Later):
            await dial({"leg_id": second})
        async with database.transaction() as tx:
            await store.fail(tx, first, LegReason.BUSY, clock.now())
        clock.pass_by(seconds=4)
        await dial({"leg_id": second})
        assert carrier.rang == [first, second]

    async def test_keeps_the_last_room_for_who_is_awaited_in_a_call(self, database: Database, acme: Customer) -> None:
        carrier, clock = NotedCarrier(at_once=1), SetClock.from_now()
        dial = dialer(database, carrier, clock)
        first, second = await waiting_leg(acme), await waiting_leg(acme)
        await dial({"leg_id": first})
        (awaited,) = await awaited_legs(database, acme)
        with pytest.raises(Later):
            await dial({"leg_id": awaited})
        async with database.transaction() as tx:
            await store.fail(tx, first, LegReason.BUSY, clock.now())
        with pytest.raises(Later):
            await dial({"leg_id": second})
        await dial({"leg_id": awaited})
        assert carrier.rang == [first, awaited]


class TestCallingHours:
    async def test_put_a_leg_off_until_it_is_morning_where_it_rings(self, database: Database, acme: Customer) -> None:
        async with database.transaction() as tx:
            await keep_to(tx, acme.tenant.id, CallingHours(8 * 60, 21 * 60))
        # Three at night in New York.
        clock, carrier = SetClock(datetime(2026, 3, 2, 8, tzinfo=UTC)), NotedCarrier()
        body = {"agent_id": await acme.new_agent(), "participants": [phone("+12125550123")]}
        made = (await acme.post("/v1/calls", body)).json()
        dial = dialer(database, carrier, clock)
        with pytest.raises(Later) as later:
            await dial({"leg_id": made["participants"][0]["telephony_leg_id"]})
        assert later.value.delay_ms == 5 * 3600 * 1000
        events = (await acme.get(f"/v1/calls/{made['id']}/events")).json()["events"]
        assert any("until 2026-03-02 13:00 UTC" in event["message"] for event in events)
        clock.pass_by(hours=5)
        await dial({"leg_id": made["participants"][0]["telephony_leg_id"]})
        assert len(carrier.rang) == 1


class TestRepairing:
    async def test_reminds_of_a_forgotten_leg_once_however_often_it_looks(
        self, database: Database, leg_id: LegId
    ) -> None:
        async with database.transaction() as tx:
            await tx.exec_driver_sql("delete from bullmq.job")
        clock = SetClock(CLOCK.now() + SETTLED_AFTER + timedelta(seconds=1))
        for _ in range(3):
            await LegWatch(database, NotedCarrier(), clock).look_after()
            clock.pass_by(seconds=30)
        assert len(await jobs_in(database, "dial")) == 1

    async def test_leaves_a_leg_whose_job_still_waits(self, database: Database, leg_id: LegId) -> None:
        later = SetClock(CLOCK.now() + timedelta(hours=1))
        await LegWatch(database, NotedCarrier(), later).look_after()
        assert await jobs_in(database, "dial") == [leg_id]

    @pytest.mark.parametrize(("knows", "reason"), [(True, None), (False, "outcome_unknown")])
    async def test_asks_the_carrier_and_never_rings_again(
        self, database: Database, leg_id: LegId, knows: bool, reason: str | None
    ) -> None:
        carrier = NotedCarrier(OutcomeUnknown("time is up"), knows=knows)
        await dialer(database, carrier)({"leg_id": leg_id})
        later = SetClock(CLOCK.now() + SETTLED_AFTER + timedelta(seconds=1))
        await LegWatch(database, carrier, later).look_after()
        leg = await _leg(database, leg_id)
        assert carrier.rang == [leg_id]
        assert (leg.reason, leg.provider_call_id is not None) == (reason, knows)
        assert leg.status is (LegStatus.RINGING if knows else LegStatus.FAILED)

    async def test_gives_up_on_a_carrier_that_cannot_tell_until_no_call_can_last_any_more(
        self, database: Database, leg_id: LegId
    ) -> None:
        carrier = CarrierThatCannotTell(OutcomeUnknown("time is up"))
        await dialer(database, carrier)({"leg_id": leg_id})
        clock = SetClock(CLOCK.now() + SETTLED_AFTER + timedelta(seconds=1))
        await LegWatch(database, carrier, clock).look_after()
        assert not (await _leg(database, leg_id)).is_over
        clock.pass_by(seconds=LEFT_OPEN_FOR.total_seconds())
        await LegWatch(database, carrier, clock).look_after()
        leg = await _leg(database, leg_id)
        assert (leg.status, leg.reason) == (LegStatus.FAILED, "outcome_unknown")
        assert carrier.rang == [leg_id]


async def _leg(database: Database, leg_id: LegId) -> Leg:
    async with database.transaction() as tx:
        return await store.get(tx, leg_id)


async def _one_dialed_and_one_promised(
    database: Database, acme: Customer, carrier: NotedCarrier, clock: SetClock
) -> tuple[Dialer, LegId, LegId]:
    first, second = await waiting_leg(acme), await waiting_leg(acme)
    dial = Dialer(database, carrier, ADDRESSES, clock, sleep=Sleeps(real=False))
    await dial({"leg_id": first})
    with pytest.raises(Later):
        await dial({"leg_id": second})
    return dial, first, second


async def _next_turn(database: Database) -> datetime:
    async with database.transaction() as tx:
        return (await tx.execute(sa.select(dial_pace.c.next_at).where(dial_pace.c.account == "noted:1"))).scalar_one()
