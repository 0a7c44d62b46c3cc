"""The time everything in the box lives in. Nothing else reads a clock or sleeps, so a test may pass time of its own."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Calendar time for what is told to others, and a steady count of seconds for everything that waits."""

    def now(self) -> datetime: ...

    def seconds(self) -> float: ...

    async def sleep_until(self, instant: float) -> None: ...


class SteadyClock:
    """The machine's own time, or `speed` times as fast: a ring of thirty seconds passes in one and a half at 20."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._since = time.monotonic()
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.seconds())

    def seconds(self) -> float:
        return (time.monotonic() - self._since) * self._speed

    async def sleep_until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, (instant - self.seconds()) / self._speed))


async def sleep(clock: Clock, seconds: float) -> None:
    await clock.sleep_until(clock.seconds() + seconds)
