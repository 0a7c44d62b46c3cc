"""When a process that is to wait for a call makes itself ready: not while calls begin, and one after the other, unless
a call waits for it.

Getting ready takes a third of a second of a processor, and whoever speaks just now should have it. The worker and its
processes share a few numbers; a call that nobody was told of only costs a delay.
"""

import fcntl
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

# A call has begun by then.
CALM_AFTER_S: Final = 2.0
# Where calls begin all the time, processes are needed all the time.
WAITS_AT_MOST_S: Final = 6.0
_LOOKS_EVERY_S: Final = 0.05


class Standby:
    """Made by the worker, and handed to its processes when they are started.

    In `folder` lies a file that the one holds who is getting ready: the kernel takes it from whoever is killed.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.monotonic) -> None:
        context = multiprocessing.get_context("spawn")  # What it makes goes to processes that are no forks as well.
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._now = now
        self._turn = folder / "standby.lock"
        self._counting = folder / "standby-count.lock"
        self._ready: Any = context.Value("i", 0, lock=False)
        # Only the worker writes these.
        self._taken: Any = context.Value("i", 0, lock=False)
        self._taken_at: Any = context.Value("d", float("-inf"), lock=False)

    def call_comes(self) -> None:
        """Said by the worker: one of the processes is taken."""
        self._taken.value += 1
        self._taken_at.value = self._now()

    @contextmanager
    def getting_ready(self, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """For a process that has just been born: begins when it may work, and ends when it waits for a call."""
        with self._turn.open("w") as turn:
            self._wait(turn, sleep)
            yield
        with self._counting.open("w") as counting:
            fcntl.flock(counting, fcntl.LOCK_EX)
            self._ready.value += 1

    def _wait(self, turn: IO[str], sleep: Callable[[float], None]) -> None:
        born = self._now()
        while not (self._is_needed or self._now() - born >= WAITS_AT_MOST_S or (self._is_calm and _takes(turn))):
            sleep(_LOOKS_EVERY_S)

    @property
    def _is_needed(self) -> bool:
        """Whether a call may wait for it: all that were ready are taken, or the worker has just been started."""
        return not self._taken.value or self._taken.value > self._ready.value

    @property
    def _is_calm(self) -> bool:
        return bool(self._now() - self._taken_at.value >= CALM_AFTER_S)


def _takes(turn: IO[str]) -> bool:
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
