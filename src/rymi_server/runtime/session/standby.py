"""When a process that is to wait for a call makes itself ready: not while calls begin, unless one waits for it.

Getting ready takes half a second of a processor, and whoever rings just now should have it. The worker and its
processes share a few numbers; a call that nobody was told of only costs a delay.
"""

import multiprocessing
import time
from collections.abc import Callable
from typing import Any, Final

# A call has begun by then.
CALM_AFTER_S: Final = 2.0
# Where calls begin all the time, processes are needed all the time.
_WAITS_AT_MOST_S: Final = 4.0
_LOOKS_EVERY_S: Final = 0.05


class Standby:
    """Made by the worker, and handed to its processes when they are started."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        context = multiprocessing.get_context("spawn")  # What it makes goes to processes that are no forks as well.
        self._now = now
        self._ready: Any = context.Value("i", 0)
        # Only the worker writes these.
        self._taken: Any = context.Value("i", 0, lock=False)
        self._taken_at: Any = context.Value("d", float("-inf"), lock=False)

    def call_comes(self) -> None:
        """Said by the worker: one of the processes is taken."""
        self._taken.value += 1
        self._taken_at.value = self._now()

    def wait(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Said by a process that has just been born: return when it may work."""
        born = self._now()
        while self._should_wait(born):
            sleep(_LOOKS_EVERY_S)

    def is_ready(self) -> None:
        """Said by a process that waits for a call from now on."""
        with self._ready.get_lock():
            self._ready.value += 1

    def _should_wait(self, born: float) -> bool:
        now = self._now()
        needed = self._taken.value > self._ready.value
        calm = now - self._taken_at.value >= CALM_AFTER_S
        return not needed and not calm and now - born < _WAITS_AT_MOST_S
