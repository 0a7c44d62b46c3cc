"""Time that passes only when a test says so."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from itertools import count

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROUNDS_TO_SETTLE = 20


class VirtualClock:
    """Keeps `carrierbox.clock.Clock`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._now)

    def seconds(self) -> float:
        return self._now

    async def sleep_until(self, instant: float) -> None:
        if instant <= self._now:
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (instant, next(self._order), woken))
        await woken

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass, waking everybody in the order of their times."""
        until = self._now + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            instant, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._now = instant
            woken.set_result(None)
            await self._settle()
        self._now = until

    async def _settle(self) -> None:
        for _ in range(ROUNDS_TO_SETTLE):
            await asyncio.sleep(0)
