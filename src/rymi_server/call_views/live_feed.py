"""Carries what happens in calls from PostgreSQL to whoever watches here: one listening connection for all of them.

Nobody watches most of the time, so the connection is opened for the first watcher and closed after the last.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

import psycopg
import structlog

from rymi_server.calls.live_word import CHANNEL
from rymi_server.foundation.database import for_libpq
from rymi_server.foundation.errors import Refused

log = structlog.get_logger(__name__)

_MOST_WAITING: Final = 256
_TRIES_AGAIN_AFTER_SECONDS: Final = 0.5


class TooManyStreams(Refused):
    """This server streams as many calls at once as it may."""

    status, code = 429, "too_many_streams"

    def __init__(self, most: int) -> None:
        super().__init__("This server streams as many calls at once as it may. Try again later.", limit=most)

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "5"}


class Watch:
    """What one watcher has not looked at yet. One who does not keep up is told so, and misses nothing that is kept."""

    def __init__(self) -> None:
        self._passing: deque[str] = deque()
        self._news = asyncio.Event()
        self.overrun = False

    def tell(self, passing: str | None = None) -> None:
        """Something changed in the tables, or `passing` is to be shown now or never."""
        if passing is not None:
            if len(self._passing) >= _MOST_WAITING:
                self.overrun = True
            else:
                self._passing.append(passing)
        self._news.set()

    async def news(self, seconds: float) -> list[str] | None:
        """What passes by, once there is anything new; None after `seconds` without."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return None
        self._news.clear()
        passing = list(self._passing)
        self._passing.clear()
        return passing


class LiveFeed:
    def __init__(self, database_url: str, most: int) -> None:
        self._url = for_libpq(database_url)
        self._most = most
        self._watches: dict[str, set[Watch]] = {}
        self._count = 0
        self._listening: asyncio.Task[None] | None = None
        self.stopping = asyncio.Event()

    def refuse_beyond_limit(self) -> None:
        if self._count >= self._most:
            raise TooManyStreams(self._most)

    @contextlib.asynccontextmanager
    async def watching(self, call_id: str) -> AsyncIterator[Watch]:
        watch = Watch()
        self._watches.setdefault(call_id, set()).add(watch)
        self._count += 1
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            yield watch
        finally:
            self._count -= 1
            self._watches[call_id].discard(watch)
            if not self._watches[call_id]:
                del self._watches[call_id]
            if not self._watches:
                await self._stop_listening()

    def stop(self) -> None:
        """Have every stream end soon; its reader comes again, to another process."""
        self.stopping.set()
        self._wake_all()

    async def _listen(self) -> None:
        """As long as anybody watches. After a break everybody looks at the tables, because word may have been lost."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    self._wake_all()
                    async for notice in connection.notifies():
                        self._pass_on(notice.payload)
            except (psycopg.Error, OSError) as error:
                log.warning("live_feed_interrupted", error=str(error))
            await asyncio.sleep(_TRIES_AGAIN_AFTER_SECONDS)

    def _pass_on(self, payload: str) -> None:
        call_id, _, passing = payload.partition(" ")
        for watch in self._watches.get(call_id, ()):
            watch.tell(passing or None)

    def _wake_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.tell()

    async def _stop_listening(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait([listening])
