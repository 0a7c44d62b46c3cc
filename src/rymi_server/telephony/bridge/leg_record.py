"""Puts on record that a phone is in its room, and that it is out; the latter also has the carrier hang up."""

import asyncio

import structlog

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, DatabaseUnreachable
from rymi_server.telephony import legs
from rymi_server.telephony.bridge.guests import Ending, Guest

log = structlog.get_logger(__name__)

# A database that is away for longer leaves it to the leg watch, which asks the carrier.
_TRIES_AGAIN_AFTER_S = (0.5, 2.0, 8.0, 20.0)


class LegRecord:
    """Keeps the promise `BridgeLog`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def bridged(self, guest: Guest) -> bool:
        async with self._database.transaction() as tx:
            return await legs.bridged(tx, guest.leg_id, self._clock.now())

    async def unbridged(self, guest: Guest, ending: Ending) -> None:
        if ending is Ending.REPLACED:
            return
        now = self._clock.now()
        for seconds in _TRIES_AGAIN_AFTER_S:
            try:
                async with self._database.transaction() as tx:
                    await legs.media_ended(tx, guest.leg_id, now)
            except DatabaseUnreachable:
                log.warning("unbridged_not_on_record", call_id=guest.call_id, leg_id=guest.leg_id)
                await asyncio.sleep(seconds)
            else:
                return
        log.error("unbridged_left_to_the_watch", call_id=guest.call_id, leg_id=guest.leg_id)
