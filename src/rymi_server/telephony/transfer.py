"""Hands a leg over to another phone, at the carrier. From then on it is no call of ours, and nobody here hangs it up.

The carrier is told to ask for the leg's document again, which then names the other phone. That ends the media socket,
and with it the participant.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from rymi_server.calls import agent_orders
from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import LeaveReason
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import LegId
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import JobKind
from rymi_server.telephony import store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import ConnectedCarriers, OutcomeUnknown, PlacedCall
from rymi_server.telephony.hang_up import enqueue_hang_up
from rymi_server.telephony.models import Leg

log = structlog.get_logger(__name__)

HAND_OVER = JobKind("carriers", "hand_over")
REFUSED = "transfer_refused"


async def hand_over(tx: Transaction, leg: Leg, to_number: str) -> None:
    """Have the leg transferred once the transaction commits."""
    await store.change(tx, leg.id, transferred_to=to_number)
    data = {"leg_id": leg.id, "call_id": leg.call_id, "tenant_id": leg.tenant_id}
    await enqueue(tx, HAND_OVER, NewJob(data))


class LegHandOver:
    """Works through the jobs. A carrier that does not do it leaves the phone where it is, and the agent comes back.

    Once the call is over there is nothing to come back to, and the phone is hung up.
    """

    def __init__(
        self, database: Database, carriers: ConnectedCarriers, addresses: CarrierAddresses, clock: Clock
    ) -> None:
        self._database = database
        self._carriers = carriers
        self._addresses = addresses
        self._clock = clock

    async def __call__(self, job: Mapping[str, Any]) -> None:
        leg_id = LegId(job["leg_id"])
        async with self._database.transaction() as tx:
            found = await store.lock_with_call(tx, leg_id)
            if found is None or found[1].is_over or found[1].transferred_to is None:
                return
            call, leg = found
            if leg.provider_call_id is None or leg.connection_id is None or leg.provider is None:
                return
            # The job may run again, and somebody else's conversation would begin anew.
            if await _has_gone(tx, leg):
                return
            if call.status in OVER:
                await _hang_up_after_all(tx, leg)
                return
            connected = await self._carriers.by_id(tx, leg.connection_id)
        if connected is None:
            await self._stays(leg_id, "no carrier is connected")
            return
        document = self._addresses.of_leg(leg.provider, leg.connection_id, leg.id).answer
        try:
            await connected.carrier.transfer(PlacedCall(leg.provider_call_id, leg.region_url), document)
        except Unavailable as error:
            log.warning("transfer_refused", call_id=leg.call_id, leg_id=leg.id, error=error.message)
            await self._stays(leg_id, error.message, is_certain=not isinstance(error, OutcomeUnknown))

    async def _stays(self, leg_id: LegId, why: str, *, is_certain: bool = True) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            found = await store.lock_with_call(tx, leg_id)
            if found is None:
                return
            call, leg = found
            if not is_certain and await _has_gone(tx, leg):
                return
            if call.status in OVER or leg.media_ended_at:
                await _hang_up_after_all(tx, leg)
            else:
                await store.change(tx, leg_id, transferred_to=None)
            if call.status in OVER:
                return
            await record(tx, call.id, Source.TELEPHONY, f"Transfer failed: {why}", now, Level.WARNING)
            await agent_orders.give(tx, call.id, "come_back", now, reason=REFUSED)


async def _has_gone(tx: Transaction, leg: Leg) -> bool:
    """Whether the phone went over, as far as can be seen here: its audio has ended, and not because the call had."""
    people = await calls.participants_of(tx, leg.call_id)
    return any(each.id == leg.participant_id and each.leave_reason == LeaveReason.TRANSFERRED for each in people)


async def _hang_up_after_all(tx: Transaction, leg: Leg) -> None:
    """Nobody else will: until now it was as good as handed over."""
    await store.change(tx, leg.id, transferred_to=None)
    await enqueue_hang_up(tx, replace(leg, transferred_to=None))
