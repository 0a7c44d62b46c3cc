"""One clock for all bridges of a process: it ticks four times in a frame, and skips what it has hopelessly missed."""

import asyncio
from collections.abc import Callable

from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.carriers.media import FRAME_MS

# Often in a frame, so that what comes from the room waits little until it goes to the carrier.
TICKS_A_FRAME = 4
TICK_S = FRAME_MS / 1000 / TICKS_A_FRAME
_HOPELESSLY_LATE_S = 0.2

Tick = Callable[[float], None]


class Beat:
    """It rests while nobody follows it."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self._followers: dict[Tick, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = 0.0

    def follow(self, tick: Tick) -> None:
        """Have `tick` called with the time of each beat, until `leave`."""
        self._followers[tick] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._next = loop.time()
            self._timer = loop.call_at(self._next, self._beat)

    def leave(self, tick: Tick) -> None:
        self._followers.pop(tick, None)
        if not self._followers and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._measures.stalls.observe(max(0.0, now - self._next))
        if now - self._next > _HOPELESSLY_LATE_S:
            self._next = now
        self._next += TICK_S
        self._timer = loop.call_at(self._next, self._beat)
        for tick in self._followers:
            # Each by itself: one that fails is no reason for the others to fall silent.
            loop.call_soon(tick, now)
