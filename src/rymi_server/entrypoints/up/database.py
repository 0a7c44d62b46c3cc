"""Keeps the embedded PostgreSQL running.

All of it happens in the main thread, because the kernel ends PostgreSQL with the thread that has started it. Only the
wait for its end is left to a thread, because that one forks nothing.
"""

import asyncio
import time
from dataclasses import dataclass, field

from rymi_server.entrypoints.up.keeping import Backoff
from rymi_server.entrypoints.up.screen import Screen, State, Status
from rymi_server.foundation.postgres_supervisor import LOOKS_EVERY_SECONDS, PostgresFailed, PostgresServer

NAME = "postgres"
# Whoever takes longer was not shut down, and reads again what was written last: for minutes, where that was much.
_STARTS_WITHIN_SECONDS = 2.0


@dataclass
class KeptDatabase:
    server: PostgresServer
    screen: Screen

    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _starts: int = field(default=0, init=False)

    async def start(self) -> None:
        """Until it is ready, however long it recovers. What goes wrong now will not mend itself, so it is raised."""
        self._starts += 1
        self._show(State.STARTING)
        self.server.launch()
        launched = time.monotonic()
        while not self.server.is_ready():
            if time.monotonic() - launched > _STARTS_WITHIN_SECONDS:
                self._show(State.STARTING, f"recovers: {self.server.last_words()}")
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
        self._show(State.READY, str(self.server.cluster))

    async def keep(self) -> None:
        """Until it is stopped."""
        backoff, started = Backoff(), time.monotonic()
        note = ""
        while True:
            if self.server.running:
                exit_code = await asyncio.to_thread(self.server.wait)
                note = f"ended with exit code {exit_code}"
            if self._stopping.is_set():
                return
            wait = backoff.next_wait(time.monotonic() - started)
            self._show(State.RESTARTING, f"{note}; starts again in {wait:g} s")
            await asyncio.sleep(wait)
            if self._stopping.is_set():
                return
            started = time.monotonic()
            try:
                await self.start()
            except PostgresFailed as error:
                note = error.message

    def stop(self) -> None:
        self._stopping.set()
        self._show(State.STOPPING)
        self.server.stop()
        self._show(State.STOPPED)

    def _show(self, state: State, note: str = "") -> None:
        pid = self.server.pid if self.server.running else None
        self.screen.show(NAME, Status(state, note, pid, self._starts))
