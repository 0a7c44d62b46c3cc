"""Ends calls whose account cannot pay for the next increment: the agent says so first, and has a moment for it."""

from datetime import timedelta
from decimal import Decimal

import structlog

from rymi_server.calls import agent_orders, running, store
from rymi_server.calls.lifecycle import OVER, connected_seconds
from rymi_server.calls.models import Call, EndReason
from rymi_server.calls.transitions import end
from rymi_server.credits import ledger
from rymi_server.credits.rates import bill
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction

log = structlog.get_logger(__name__)

# Looked ahead, so that what is said is said within the increment that is paid.
WARNED_BEFORE = timedelta(seconds=12)
SAYS_WITHIN = timedelta(seconds=20)
_FAREWELL = "I am sorry, but this call has to end now. Thank you, and goodbye."


class EndingCredit:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def sweep(self) -> None:
        async with self._database.transaction() as tx:
            all_calls = await running.in_progress(tx)
        by_tenant: dict[str, list[Call]] = {}
        for call in all_calls:
            by_tenant.setdefault(call.tenant_id, []).append(call)
        for calls in by_tenant.values():
            async with self._database.transaction() as tx:
                spent = await self._spent(tx, calls)
            for call in calls if spent else ():
                async with self._database.transaction() as tx:
                    await self._wind_up(tx, call)

    async def _spent(self, tx: Transaction, calls: list[Call]) -> bool:
        """Whether the account of these calls, which are all that it pays for, will not do for much longer."""
        soon = self._clock.now() + WARNED_BEFORE
        cost = Decimal(0)
        for call in calls:
            seconds = connected_seconds(await store.participants_of(tx, call.id), soon)
            cost += bill(seconds, call.rate_per_minute)[1]
        return cost > (await ledger.account_of(tx, calls[0].tenant_id)).balance

    async def _wind_up(self, tx: Transaction, seen: Call) -> None:
        now = self._clock.now()
        call = await store.lock(tx, seen.tenant_id, seen.id)
        if call.status in OVER:
            return
        told = await agent_orders.given(tx, call.id, EndReason.CREDITS_EXHAUSTED)
        if told is None:
            await record(tx, call.id, Source.LIFECYCLE, "Credit is exhausted", now, Level.WARNING)
            await agent_orders.give(tx, call.id, "say_and_end", now, text=_FAREWELL, reason=EndReason.CREDITS_EXHAUSTED)
            log.info("credit_exhausted", call_id=call.id)
        elif now - told.created_at >= SAYS_WITHIN:
            await end(tx, call, EndReason.CREDITS_EXHAUSTED, now)
