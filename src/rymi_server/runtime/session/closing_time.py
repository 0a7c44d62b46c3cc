"""When no call is held any longer: said by the worker that was told to stop, heard by the processes that hold calls.

livekit-agents asks them to end as well, and tells only itself: whoever holds a call would go on for fifteen seconds,
and then be cancelled.
"""

import multiprocessing
from typing import Any


class ClosingTime:
    """Made by the worker, and handed to its processes when they are started."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # What it makes goes to processes that are no forks as well.
        self._come: Any = context.Value("b", 0, lock=False)

    def comes(self) -> None:
        self._come.value = 1

    def has_come(self) -> bool:
        return bool(self._come.value)
