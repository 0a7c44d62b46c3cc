"""Dials legs: at most one ring a leg, and at least one attempt or a recorded reason.

The job may run twice and may be killed anywhere. So the leg is claimed in a transaction of its own before the carrier
is asked; whoever finds it claimed does not dial. What a crash left unclear is settled by asking the carrier, never by
dialing again.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import LeaveReason
from rymi_server.calls.transitions import participant_failed
from rymi_server.dnc.store import listed
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.queue.counts import still_live
from rymi_server.queue.enqueue import NewJob, enqueue_many
from rymi_server.queue.kinds import JobKind
from rymi_server.rooms.dispatch import enqueue_dispatch
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import Carrier, CarrierRefused, ConnectedCarriers, Dial, OutcomeUnknown
from rymi_server.telephony.models import Leg, LegReason

log = structlog.get_logger(__name__)

DIAL = JobKind("dial", "dial")
SETTLED_AFTER = timedelta(seconds=60)
_AT_A_TIME = 200

_SAID = {
    LegReason.NO_CARRIER: "PSTN leg failed: no carrier is connected",
    LegReason.DO_NOT_CALL: "PSTN leg failed: the number is on the Do-Not-Call list",
    LegReason.CALL_ENDED: "PSTN leg was not dialed: the call had ended",
    LegReason.CARRIER_REFUSED: "PSTN leg failed: the carrier refused the call",
    LegReason.OUTCOME_UNKNOWN: "PSTN leg failed: dialing was interrupted and the carrier knows no such call",
}


async def enqueue_dials(tx: Transaction, legs: Sequence[Leg]) -> None:
    """Have `legs` dialed once the transaction commits. The job's id is the leg's."""
    await enqueue_many(tx, DIAL, [dial_job(leg) for leg in legs])


def dial_job(leg: Leg) -> NewJob:
    return NewJob({"leg_id": leg.id, "call_id": leg.call_id, "tenant_id": leg.tenant_id}, id=leg.id)


class Dialer:
    """Works through dial jobs, and through what crashes have left of them."""

    def __init__(self, database: Database, carriers: ConnectedCarriers, clock: Clock) -> None:
        self._database = database
        self._carriers = carriers
        self._clock = clock

    async def __call__(self, job: Mapping[str, Any]) -> None:
        leg_id = LegId(job["leg_id"])
        claimed = await self._claim(leg_id)
        if claimed:
            leg, carrier = claimed
            await self._place(leg, carrier)

    async def repair(self, _: Mapping[str, Any]) -> None:
        """Settle legs of which nothing was heard: look again at the unclaimed, ask the carrier about the others."""
        before = self._clock.now() - SETTLED_AFTER
        async with self._database.transaction() as tx:
            waiting = await store.waiting_since(tx, before, _AT_A_TIME)
            jobs = await still_live(tx, DIAL.queue, "leg_id", [leg.id for leg in waiting])
            forgotten = [leg for leg in waiting if leg.id not in jobs]
            # The leg's first job is done or gone, so its id is used up.
            retry = [NewJob(dial_job(leg).data, id=f"{leg.id}-{int(before.timestamp())}") for leg in forgotten]
            await enqueue_many(tx, DIAL, retry)
            unclear = await store.claimed_without_outcome(tx, before, _AT_A_TIME)
        for leg in unclear:
            await self._settle(leg)

    async def _claim(self, leg_id: LegId) -> tuple[Leg, Carrier] | None:
        """The leg and who will dial it, or None where it is not to be dialed (which is then on record)."""
        async with self._database.transaction() as tx:
            leg = await store.get(tx, leg_id)
            call = await calls.lock(tx, leg.tenant_id, leg.call_id)
            if not await store.claim(tx, leg_id, self._clock.now()):
                return None
            if call.status in OVER:
                await self._fail(tx, leg, LegReason.CALL_ENDED)
            elif await listed(tx, leg.tenant_id, [leg.to_number]):
                await self._fail(tx, leg, LegReason.DO_NOT_CALL)
            elif carrier := await self._carriers.of(tx, leg.tenant_id):
                await enqueue_dispatch(tx, call)
                return leg, carrier
            else:
                await self._fail(tx, leg, LegReason.NO_CARRIER)
        return None

    async def _place(self, leg: Leg, carrier: Carrier) -> None:
        try:
            placed_as = await carrier.place_call(Dial(leg.id, leg.from_number, leg.to_number))
        except CarrierRefused:
            async with self._database.transaction() as tx:
                await self._fail(tx, leg, LegReason.CARRIER_REFUSED)
            return
        except OutcomeUnknown:
            log.warning("dial_outcome_unknown", leg_id=leg.id)
            return  # `repair` asks the carrier.
        async with self._database.transaction() as tx:
            await store.placed(tx, leg.id, carrier.name, placed_as)
            await record(tx, leg.call_id, Source.TELEPHONY, "PSTN leg handed to the carrier", self._clock.now())

    async def _settle(self, leg: Leg) -> None:
        async with self._database.transaction() as tx:
            carrier = await self._carriers.of(tx, leg.tenant_id)
        placed_as = await carrier.find_call(leg.id) if carrier else None
        async with self._database.transaction() as tx:
            if carrier and placed_as:
                await store.placed(tx, leg.id, carrier.name, placed_as)
            else:
                await self._fail(tx, leg, LegReason.OUTCOME_UNKNOWN)

    async def _fail(self, tx: Transaction, leg: Leg, reason: LegReason) -> None:
        now = self._clock.now()
        call = await calls.lock(tx, leg.tenant_id, leg.call_id)
        if await store.fail(tx, leg.id, reason, now):
            await record(tx, leg.call_id, Source.TELEPHONY, _SAID[reason], now, Level.WARNING)
            await participant_failed(tx, call, leg.participant_id, LeaveReason.DIALING_FAILED, now)
