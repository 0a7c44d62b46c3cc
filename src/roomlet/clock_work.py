"""What the server does as time passes: speakers, reports, sweeps, token refresh, and a look at its own lateness."""

import asyncio
import logging
import time
from collections.abc import Callable

from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.rooms import Rooms

log = logging.getLogger(__name__)
TICK_SECONDS = 0.4
TICKS_PER_REPORT = 4
TICKS_PER_QUALITY = 12


class ClockWork:
    def __init__(
        self,
        rooms: Rooms,
        counters: Counters,
        refresh_token: Callable[[Participant], None],
        token_refresh_seconds: float,
    ) -> None:
        self._rooms, self._counters = rooms, counters
        self._refresh_token, self._refresh_seconds = refresh_token, token_refresh_seconds
        self._refreshed_at = time.monotonic()
        self._ticks = 0

    async def run(self) -> None:
        due = time.monotonic()
        while True:
            due += TICK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            now = time.monotonic()
            self._counters.see_lag(max(0.0, now - due))
            due = max(due, now - TICK_SECONDS)
            try:
                self.tick(now)
            except Exception:
                log.exception("a tick broke")

    def tick(self, now: float) -> None:
        self._ticks += 1
        refresh = now - self._refreshed_at >= self._refresh_seconds
        if refresh:
            self._refreshed_at = now
        for room in self._rooms.all():
            room.see_speakers()
            if self._ticks % TICKS_PER_REPORT == 0:
                room.report_reception()
                room.sweep(now)
            if self._ticks % TICKS_PER_QUALITY == 0:
                room.report_quality()
            if refresh:
                for participant in room.participants.values():
                    self._refresh_token(participant)
