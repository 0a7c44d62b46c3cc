"""Keeps one process running: starts it, notices its end, and starts it again after a wait that grows."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from rymi_server.entrypoints.up.births import Births, Running
from rymi_server.entrypoints.up.children import Child
from rymi_server.entrypoints.up.probing import what_is_missing
from rymi_server.entrypoints.up.screen import Screen, State, Status
from rymi_server.foundation.errors import Unavailable

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
# Who ran for so long was well, so that the next wait is a short one again.
WELL_AFTER_SECONDS = 30.0
STOPS_WITHIN_SECONDS = 35.0
_TRIES_BEFORE_EVER_READY = 3
_LOOK_WHILE_STARTING_SECONDS = 0.05
# Who takes longer says what it waits for.
_STARTS_WITHIN_SECONDS = 10.0
_LOOK_WHILE_READY_SECONDS = 2.0
_LARGEST_LOG = 20_000_000


class DoesNotStart(Unavailable):
    code = "does_not_start"

    def __init__(self, name: str, exit_code: int, said: str) -> None:
        super().__init__(f"`{name}` does not start: it ended with exit code {exit_code}. {said}", retryable=False)


@dataclass
class Backoff:
    """How long to wait before the next start."""

    wait: float = FIRST_WAIT_SECONDS

    def next_wait(self, ran_for_seconds: float) -> float:
        if ran_for_seconds >= WELL_AFTER_SECONDS:
            self.wait = FIRST_WAIT_SECONDS
        wait, self.wait = self.wait, min(self.wait * 2, LONGEST_WAIT_SECONDS)
        return wait


@dataclass
class KeptChild:
    """A child process and its fortunes. `logs` is a folder for its output; None leaves it on our standard error."""

    child: Child
    environment: Mapping[str, str]
    screen: Screen
    logs: Path | None
    births: Births

    ready: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    # Set whenever it is ready once more, after it was started again. Whoever has waited for it clears it.
    back: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _process: Running | None = field(default=None, init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _starts: int = field(default=0, init=False)

    async def keep(self) -> None:
        """Until it is stopped. Raise `DoesNotStart` if it was never once ready and does not get there."""
        backoff = Backoff()
        while not self._stopping.is_set():
            started = time.monotonic()
            exit_code = await self._run_once()
            if self._stopping.is_set():
                break
            if not self.ready.is_set() and self._starts >= _TRIES_BEFORE_EVER_READY:
                raise DoesNotStart(self.child.name, exit_code, self._last_words())
            wait = backoff.next_wait(time.monotonic() - started)
            self._show(State.RESTARTING, f"{_ending(exit_code)}; starts again in {wait:g} s")
            await asyncio.sleep(wait)
        self._show(State.STOPPED)

    async def stop(self) -> None:
        """Ask it to finish what it does; end it where that takes too long."""
        self._stopping.set()
        process = self._process
        if process is None or process.exit_code is not None:
            return
        self._show(State.STOPPING)
        process.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOPS_WITHIN_SECONDS):
                await process.ended()
        except TimeoutError:
            self.kill()
            await process.ended()

    def kill(self) -> None:
        if self._process and self._process.exit_code is None:
            self._process.signal(signal.SIGKILL)

    async def _run_once(self) -> int:
        self._starts += 1
        with self._output() as output:
            self._process = await self.births.bear(self.child.name, self.child.module, self.environment, output)
        self._show(State.STARTING)
        watching = asyncio.create_task(self._watch())
        try:
            return await self._process.ended()
        finally:
            watching.cancel()
            self.kill()

    async def _watch(self) -> None:
        if not self.child.port:
            self._become_ready()
            return
        was_ready, began = False, time.monotonic()
        while True:
            missing = await what_is_missing(self.child.url + self.child.ready_path)
            if missing is None:
                if self.ready.is_set() and not was_ready:
                    self.back.set()
                self._become_ready()
                was_ready = True
            elif was_ready:
                self._show(State.NOT_READY, missing)
            elif time.monotonic() - began > _STARTS_WITHIN_SECONDS:
                self._show(State.STARTING, missing)
            await asyncio.sleep(_LOOK_WHILE_READY_SECONDS if was_ready else _LOOK_WHILE_STARTING_SECONDS)

    def _become_ready(self) -> None:
        self._show(State.READY, self.child.url if self.child.port else "")
        self.ready.set()

    def _show(self, state: State, note: str = "") -> None:
        if self._stopping.is_set() and state not in (State.STOPPING, State.STOPPED):
            return
        pid = self._process.pid if self._process and self._process.exit_code is None else None
        self.screen.show(self.child.name, Status(state, note, pid, self._starts))

    @property
    def _log(self) -> Path | None:
        return self.logs / f"{self.child.name}.log" if self.logs else None

    @contextlib.contextmanager
    def _output(self) -> Iterator[IO[bytes] | None]:
        if self._log is None:
            yield None
            return
        if self._log.exists() and self._log.stat().st_size > _LARGEST_LOG:
            self._log.replace(self._log.with_suffix(".log.old"))
        with self._log.open("ab") as file:
            yield file

    def _last_words(self) -> str:
        if self._log is None:
            return "Its last words stand above."
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'It said nothing.'} ({self._log})"


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
