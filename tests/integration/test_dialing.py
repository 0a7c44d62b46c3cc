"""Dialing legs: at most one ring, and a reason on record wherever there was none. `telephony/dialing.py`."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from tests.support.asking import CLOCK, Customer, new_customer, phone
from tests.support.calling import jobs_in
from tests.support.clocks import SetClock

from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import LegId, TenantId
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import Carrier, CarrierRefused, Dial, OutcomeUnknown
from rymi_server.telephony.dialing import SETTLED_AFTER, Dialer
from rymi_server.telephony.models import Leg


class NotedCarrier:
    """Notes whom it rang. Stands in for the phone company, which is outside."""

    name = "noted"

    def __init__(self, error: Exception | None = None, *, knows: bool = True) -> None:
        self.rang: list[LegId] = []
        self._error = error
        self._knows = knows

    async def of(self, tx: Transaction, tenant_id: TenantId) -> Carrier | None:
        return self

    async def place_call(self, dial: Dial) -> str:
        self.rang.append(dial.leg_id)
        if self._error:
            raise self._error
        return f"carrier-{dial.leg_id}"

    async def find_call(self, leg_id: LegId) -> str | None:
        return f"carrier-{leg_id}" if self._knows else None


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http)


@pytest.fixture
async def leg_id(acme: Customer) -> LegId:
    """A leg that waits to be dialed."""
    body = {"agent_id": await acme.new_agent(), "participants": [phone("+15551234567")]}
    leg: str = (await acme.post("/v1/calls", body)).json()["participants"][0]["telephony_leg_id"]
    return LegId(leg)


class TestDialing:
    async def test_rings_once_however_often_the_job_runs(self, database: Database, leg_id: LegId) -> None:
        carrier = NotedCarrier()
        dialer = Dialer(database, carrier, CLOCK)
        await asyncio.gather(*(dialer({"leg_id": leg_id}) for _ in range(5)))
        assert carrier.rang == [leg_id]
        leg = await _leg(database, leg_id)
        assert (leg.provider, leg.provider_call_id) == ("noted", f"carrier-{leg_id}")

    async def test_does_not_ring_a_number_that_was_listed_meanwhile(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        await acme.post("/v1/dnc", {"phone_number": "+15551234567"})
        carrier = NotedCarrier()
        await Dialer(database, carrier, CLOCK)({"leg_id": leg_id})
        assert (carrier.rang, (await _leg(database, leg_id)).reason) == ([], "do_not_call")

    async def test_does_not_ring_for_a_call_that_has_ended(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        await acme.post(f"/v1/calls/{(await _leg(database, leg_id)).call_id}/end")
        carrier = NotedCarrier()
        await Dialer(database, carrier, CLOCK)({"leg_id": leg_id})
        assert (carrier.rang, (await _leg(database, leg_id)).reason) == ([], "call_ended")

    async def test_fails_the_call_when_the_carrier_refuses(
        self, database: Database, acme: Customer, leg_id: LegId
    ) -> None:
        await Dialer(database, NotedCarrier(CarrierRefused("no", retryable=False)), CLOCK)({"leg_id": leg_id})
        leg = await _leg(database, leg_id)
        call = (await acme.get(f"/v1/calls/{leg.call_id}")).json()
        assert leg.reason == "carrier_refused"
        assert (call["status"], call["end_reason"]) == ("failed", "dialing_failed")


class TestRepairing:
    async def test_reminds_of_a_forgotten_leg_once_however_often_it_looks(
        self, database: Database, leg_id: LegId
    ) -> None:
        async with database.transaction() as tx:
            await tx.exec_driver_sql("delete from bullmq.job")
        clock = SetClock(CLOCK.now() + SETTLED_AFTER + timedelta(seconds=1))
        for _ in range(3):
            await Dialer(database, NotedCarrier(), clock).repair({})
            clock.pass_by(seconds=30)
        assert len(await jobs_in(database, "dial")) == 1

    async def test_leaves_a_leg_whose_job_still_waits(self, database: Database, leg_id: LegId) -> None:
        later = SetClock(CLOCK.now() + timedelta(hours=1))
        await Dialer(database, NotedCarrier(), later).repair({})
        assert await jobs_in(database, "dial") == [leg_id]

    @pytest.mark.parametrize(("knows", "reason"), [(True, None), (False, "outcome_unknown")])
    async def test_asks_the_carrier_and_never_rings_again(
        self, database: Database, leg_id: LegId, knows: bool, reason: str | None
    ) -> None:
        carrier = NotedCarrier(OutcomeUnknown("time is up", retryable=False), knows=knows)
        await Dialer(database, carrier, CLOCK)({"leg_id": leg_id})
        later = SetClock(CLOCK.now() + SETTLED_AFTER + timedelta(seconds=1))
        await Dialer(database, carrier, later).repair({})
        leg = await _leg(database, leg_id)
        assert carrier.rang == [leg_id]
        assert (leg.reason, leg.provider_call_id is not None) == (reason, knows)


async def _leg(database: Database, leg_id: LegId) -> Leg:
    async with database.transaction() as tx:
        return await store.get(tx, leg_id)
