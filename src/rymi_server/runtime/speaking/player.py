"""Plays what the agent says, a step ahead of the ear and no further.

At most 100 ms are handed to whoever transmits, in pieces that are worth waking up for. What was handed over and not
played is taken back, so a pause bites at once, and a resumed sentence goes on with its first unheard sample.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

RATE: Final = 24_000
BLOCK_MS: Final = 20
BLOCK_BYTES: Final = RATE * BLOCK_MS // 1_000 * 2
_PIECE_BYTES: Final = 3 * BLOCK_BYTES
_AHEAD_S: Final = 0.04  # Handed over when no more than this is left to be played: 100 ms with the piece itself.
# Whoever transmits plays in steps of this length, and takes none of them back that was begun.
_STEP_S: Final = 0.01
_STEP_BYTES: Final = BLOCK_BYTES // 2
_STILL_COMING_MS: Final = 60_000
_FORGOTTEN_AFTER_S: Final = 0.5


class Line(Protocol):
    """Whoever transmits: 24 kHz, 16 bit, mono, played in real time."""

    @property
    def queued_s(self) -> float: ...

    async def push(self, block: bytes) -> None: ...

    def clear(self) -> None:
        """Play nothing of what is queued."""
        ...


class Listener:
    """Told what the ear gets. `at` is the steady clock in seconds. Override what matters."""

    def began(self, at: float) -> None:
        """The first sound of a segment is heard at this time."""

    def played(self, at: float, block: bytes) -> None:
        """This is heard at that time, unless a cut follows."""

    def cut(self, at: float) -> None:
        """Nothing that was handed over is heard after this time."""

    def ended(self, at: float, heard_s: float, interrupted: bool) -> None:
        """A segment is over; so much of it was heard."""


@dataclass(slots=True)
class Player:
    line: Line
    listener: Listener
    now: Callable[[], float]
    _pending: bytearray = field(default_factory=bytearray)
    _handed: deque[tuple[float, bytes]] = field(default_factory=deque)
    _captured: int = 0
    _played: int = 0
    _complete: bool = False
    _cleared: bool = False
    _begun: bool = False
    _running: asyncio.Event = field(default_factory=asyncio.Event)
    _kick: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> "asyncio.Task[None]":
        """The task ends only with `aclose`, or by a fault, of which its owner should know."""
        self._running.set()
        self._task = asyncio.create_task(self._play())
        return self._task

    @property
    def left_ms(self) -> int | None:
        """How much of the running segment is still to be heard; a lot while it is still being made, None in silence."""
        if not self._captured:
            return None
        if not self._complete:
            return _STILL_COMING_MS
        return round(len(self._pending) / 2 / RATE * 1_000 + (self.line.queued_s * 1_000 if self._handed else 0))

    @property
    def heard_ms(self) -> int:
        """How much of the running segment was heard."""
        return round((self._played - len(self._unplayed(self.now()))) / 2 / RATE * 1_000)

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    def capture(self, pcm: bytes) -> None:
        self._captured += len(pcm)
        self._pending += pcm
        self._kick.set()

    def flush(self) -> None:
        """The running segment has all its sound."""
        if self._captured:
            self._complete = True
            self._kick.set()

    def clear(self) -> None:
        """End the running segment now."""
        if not self._captured:
            return
        self._take_back()
        self._cleared = True
        self._running.set()
        self._kick.set()

    def pause(self) -> None:
        """Harmless when repeated."""
        if self.paused:
            return
        self._running.clear()
        if self._captured:
            self._pending[:0] = self._take_back()

    def resume(self) -> None:
        """Harmless when repeated."""
        self._running.set()

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _take_back(self) -> bytes:
        """What was handed over and is not played: it is not heard any more."""
        now = self.now()
        unplayed = self._unplayed(now)
        self.line.clear()
        self._handed.clear()
        self._played -= len(unplayed)
        if self._begun:
            self.listener.cut(now)
        return unplayed

    def _unplayed(self, now: float) -> bytes:
        """What was handed over, without the steps that have begun by now."""
        return b"".join(piece[max(0, math.ceil((now - at) / _STEP_S)) * _STEP_BYTES :] for at, piece in self._handed)

    async def _play(self) -> None:
        while True:
            await self._running.wait()
            if self._cleared:
                self._end(interrupted=True)
            elif len(self._pending) >= BLOCK_BYTES or (self._complete and self._pending):
                await self._hand_over()
            elif self._complete:
                await self._play_out()
            else:
                self._kick.clear()
                await self._kick.wait()

    async def _hand_over(self) -> None:
        queued = self.line.queued_s
        if queued > _AHEAD_S:
            await self._wait(queued - _AHEAD_S)
            return
        length = min(_PIECE_BYTES, len(self._pending) // BLOCK_BYTES * BLOCK_BYTES or len(self._pending))
        piece = bytes(self._pending[:length])
        del self._pending[:length]
        at = self.now() + queued
        self._handed.append((at, piece))
        while self._handed[0][0] < at - _FORGOTTEN_AFTER_S:
            self._handed.popleft()
        if not self._begun:
            self._begun = True
            self.listener.began(at)
        self._played += length
        self.listener.played(at, piece)
        await self.line.push(piece + bytes(-length % _STEP_BYTES))

    async def _play_out(self) -> None:
        """Wait until the last piece was heard, unless something else happens meanwhile."""
        if (left := self.line.queued_s) > 0:
            await self._wait(left)
        elif not self._cleared and not self.paused and not self._pending:
            self._end(interrupted=False)

    async def _wait(self, seconds: float) -> None:
        """Not so long if something happens meanwhile."""
        self._kick.clear()
        timer = asyncio.get_running_loop().call_later(seconds, self._kick.set)
        await self._kick.wait()
        timer.cancel()

    def _end(self, *, interrupted: bool) -> None:
        heard = min(self._played, self._captured) / 2 / RATE
        self._pending.clear()
        self._handed.clear()
        self._captured = self._played = 0
        self._complete = self._cleared = self._begun = False
        self.listener.ended(self.now(), max(0.0, heard), interrupted)
