"""Settles the bill of a call that has ended: once, however often it is asked to."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.lifecycle import connected_seconds
from rymi_server.calls.models import Call
from rymi_server.credits import ledger
from rymi_server.credits.rates import bill
from rymi_server.credits.warning import warn_if_low
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.post_call import progress
from rymi_server.queue.kinds import Backoff, JobKind

SETTLE = JobKind("post_call", "settle", attempts=10, backoff=Backoff(first_ms=1_000))


async def settle_unused(tx: Transaction, call: Call) -> None:
    """Nobody came into the call: it costs nothing, and what it held is given back. It must be locked."""
    if call.bill_duration is None:
        seconds, cost = bill(None, call.rate_per_minute)
        await ledger.release(tx, call.tenant_id, call.id)
        await store.change(tx, call.id, bill_duration=seconds, total_cost=cost)


class Settler:
    """Bills by the time that people were connected, at the rate that the call was created with.

    What a carrier charges for a leg is the tenant's own account with it; it stands on the leg and is not charged here.
    """

    def __init__(self, clock: Clock, low_balance_usd: Decimal) -> None:
        self._clock = clock
        self._low_balance_usd = low_balance_usd

    async def __call__(self, tx: Transaction, job: Mapping[str, Any]) -> None:
        await self.settle(tx, await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"]))

    async def settle(self, tx: Transaction, call: Call) -> None:
        """The call must be locked."""
        now = self._clock.now()
        if call.bill_duration is None:
            await self._charge(tx, call, now)
        await progress.note(tx, call.id, "settled", now)

    async def _charge(self, tx: Transaction, call: Call, now: datetime) -> None:
        people = await store.participants_of(tx, call.id)
        seconds, cost = bill(connected_seconds(people, call.ended_at or now), call.rate_per_minute)
        await ledger.settle(tx, call.tenant_id, call.id, cost, now)
        await store.change(tx, call.id, bill_duration=seconds, total_cost=cost)
        if cost:
            await record(tx, call.id, Source.POST_CALL, "Bill settled", now)
            await warn_if_low(tx, call.tenant_id, self._low_balance_usd, now)
