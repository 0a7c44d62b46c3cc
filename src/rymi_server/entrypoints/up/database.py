"""Keeps the embedded PostgreSQL running.

All of it happens in the main thread, and starting it holds everything else up: the kernel ends PostgreSQL with the
thread that has started it. Only the wait for its end is left to a thread, because that one forks nothing.
"""

import asyncio
import time
from dataclasses import dataclass, field

from rymi_server.entrypoints.up.keeping import Backoff
from rymi_server.entrypoints.up.screen import Screen, State, Status
from rymi_server.foundation.postgres_supervisor import PostgresFailed, PostgresServer

NAME = "postgres"


@dataclass
class KeptDatabase:
    server: PostgresServer
    screen: Screen

    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _starts: int = field(default=0, init=False)

    def start(self) -> None:
        """The first start. What goes wrong now will not mend itself, so it is raised."""
        self._starts += 1
        self._show(State.STARTING)
        self.server.start()
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
                self.start()
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
