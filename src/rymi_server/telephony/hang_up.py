"""Ends calls at the carrier. Closing a socket does not: each carrier makes something else of that."""

from collections.abc import Mapping
from typing import Any

from rymi_server.calls.facts import CallEnded
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, LegId
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import ConnectedCarriers, PlacedCall
from rymi_server.telephony.models import Leg

HANG_UP = JobKind("carriers", "hang_up", attempts=8, backoff=Backoff(first_ms=500))


async def hang_up_when_call_ended(tx: Transaction, fact: CallEnded) -> None:
    """Whatever still rings or talks for the call, stops."""
    for leg in await store.of_call(tx, CallId(fact.call_id)):
        await enqueue_hang_up(tx, leg)


async def enqueue_hang_up(tx: Transaction, leg: Leg) -> None:
    """Have the carrier end the leg's call once the transaction commits. It may be asked for twice.

    A call that was handed over to another phone goes on without us.
    """
    if leg.provider_call_id and leg.transferred_to is None and not leg.is_over:
        await enqueue(tx, HANG_UP, NewJob({"leg_id": leg.id, "call_id": leg.call_id, "tenant_id": leg.tenant_id}))


class LegHangUp:
    """Works through the jobs. The leg itself ends when the carrier says that it has."""

    def __init__(self, database: Database, carriers: ConnectedCarriers) -> None:
        self._database = database
        self._carriers = carriers

    async def __call__(self, job: Mapping[str, Any]) -> None:
        async with self._database.transaction() as tx:
            leg = await store.find(tx, LegId(job["leg_id"]))
            if leg is None or leg.is_over or leg.provider_call_id is None or leg.connection_id is None:
                return
            if leg.transferred_to is not None:
                return
            connected = await self._carriers.by_id(tx, leg.connection_id)
        if connected:
            await connected.carrier.hang_up(PlacedCall(leg.provider_call_id, leg.region_url))
