"""Hears that there is something to do, for all queues of a process on one connection.

PostgreSQL tells everybody who listens of every job. A connection for each queue would hear, and wake for, what is for
the others.
"""

import asyncio
from collections import defaultdict
from typing import Any

import psycopg
import structlog

log = structlog.get_logger(__name__)

_CHANNEL = "bullmq_jobs"
_AGAIN_AFTER_SECONDS = 1
# A connection that was silently dropped is noticed in half a minute, not after the operating system's hours.
_KEEPALIVE: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}


class Bell:
    """Whoever waits for a queue's bell looks at the queue first: the bell is for what comes after that."""

    def __init__(self, libpq_url: str) -> None:
        self._url = libpq_url
        self._rung: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def of(self, queue: str) -> asyncio.Event:
        """Set when something about the queue is told. Who waits clears it before looking."""
        return self._rung[queue]

    async def listen(self) -> None:
        """Until cancelled. Whatever could not be heard meanwhile, all are told to look for."""
        while True:
            try:
                await self._listen_once()
            except psycopg.Error as error:
                log.warning("queue_bell_lost", error=str(error))
            self._ring_all()
            await asyncio.sleep(_AGAIN_AFTER_SECONDS)

    async def _listen_once(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_KEEPALIVE)
        try:
            await connection.execute(f"listen {_CHANNEL}")
            self._ring_all()
            async for notice in connection.notifies():
                self._rung[notice.payload].set()
        finally:
            await connection.close()

    def _ring_all(self) -> None:
        for each in self._rung.values():
            each.set()
