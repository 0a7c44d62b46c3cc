"""Gives up on browsers that were invited into a call and never came."""

from datetime import timedelta

from rymi_server.calls import store
from rymi_server.calls.transitions import give_up_on_late_joiners
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database

_AT_A_TIME = 200


class JoinTimeouts:
    """Looks through the calls that wait for a browser. Each is settled in a transaction of its own."""

    def __init__(self, database: Database, clock: Clock, wait: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._wait = wait

    async def sweep(self) -> None:
        invited_before = self._clock.now() - self._wait
        async with self._database.transaction() as tx:
            waiting = await store.calls_with_late_joiners(tx, invited_before, _AT_A_TIME)
        for call in waiting:
            async with self._database.transaction() as tx:
                locked = await store.lock(tx, call.tenant_id, call.id)
                await give_up_on_late_joiners(tx, locked, invited_before, self._clock.now())
