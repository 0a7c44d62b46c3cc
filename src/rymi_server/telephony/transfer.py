"""Hands a leg over to another phone, at the carrier. From then on it is no call of ours, and nobody here hangs it up.

The carrier is told to ask for the leg's document again, which then names the other phone. That ends the media socket,
and with it the participant.
"""

from collections.abc import Mapping
from typing import Any

import structlog

from rymi_server.calls import agent_orders
from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
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
from rymi_server.telephony.carriers.carrier import ConnectedCarriers, PlacedCall
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
    """Works through the jobs. A carrier that does not do it leaves the phone where it is, and the agent comes back."""

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
            leg = await store.find(tx, leg_id)
            if leg is None or leg.is_over or leg.transferred_to is None:
                return
            if leg.provider_call_id is None or leg.connection_id is None or leg.provider is None:
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
            await self._stays(leg_id, error.message)

    async def _stays(self, leg_id: LegId, why: str) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            leg = await store.get(tx, leg_id)
            call = await calls.lock(tx, leg.tenant_id, leg.call_id)
            if call.status in OVER:
                return
            await store.change(tx, leg_id, transferred_to=None)
            await record(tx, call.id, Source.TELEPHONY, f"Transfer failed: {why}", now, Level.WARNING)
            await agent_orders.give(tx, call.id, "come_back", now, reason=REFUSED)
