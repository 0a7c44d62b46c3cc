"""Ends calls that have gone on for longer than they may, should their agent not have done so itself."""

from datetime import timedelta

from rymi_server.calls import running, store
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import EndReason
from rymi_server.calls.transitions import end
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database

# The agent says goodbye at the limit; only then it is our turn.
_AGENT_HAS = timedelta(seconds=30)


class LongCalls:
    def __init__(self, database: Database, clock: Clock, most: timedelta) -> None:
        """No call is longer than `most`, whatever its agent's `advanced.maxCallDuration` (seconds) says."""
        self._database = database
        self._clock = clock
        self._most = most

    async def sweep(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            overdue = await running.overdue(tx, now - _AGENT_HAS, self._most)
        for seen in overdue:
            async with self._database.transaction() as tx:
                call = await store.lock(tx, seen.tenant_id, seen.id)
                if call.status not in OVER:
                    await end(tx, call, EndReason.MAX_DURATION, now)
