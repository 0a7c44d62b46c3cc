"""One voice of the room, on its way to the phone. Frames arrive on another thread and are taken on ours.

They come at one moment of the carrier's 20 ms and are due at another. Where that makes a voice lie here and at the
carrier for a frame longer than it has to, a frame without speech is left out.
"""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

# The carrier's lead is the cushion; here only what jitter brings may wait.
_RELAXED_FRAMES = 2
_MOST_FRAMES = 6
_QUIET = 200
# A frame that would still be in time if it came a whole one later was early; so many in a row, and one is left out.
_EARLY_FRAMES = 50
# Audio that was on its way when its speaker was cut off.
_HUSH_S = 0.08
# A voice that has sent nothing for so long (muted, or gone without a word) is not waited for.
_GIVEN_UP_AFTER_S = 0.1


class Ear:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is the one whose time the other methods are told."""
        self._clock = clock
        # With the moment at which each came.
        self._frames: deque[tuple[bytes, float]] = deque()
        self._early = 0
        self._hushed_until = 0.0
        self._empty_since: float | None = 0.0
        self._close: Callable[[], None] | None = None
        self.is_closed = False
        self.dropped = 0

    def opened(self, close: Callable[[], None]) -> None:
        self._close = close

    def hear(self, pcm: bytes) -> None:
        """Called on the SDK's thread."""
        self._frames.append((pcm, self._clock()))
        if len(self._frames) > _MOST_FRAMES:
            self._frames.popleft()
            self.dropped += 1

    def is_late(self, now: float) -> bool:
        """Whether a frame is due any moment, and worth waiting for."""
        if self._frames:
            self._empty_since = None
            return False
        if self._empty_since is None:
            self._empty_since = now
        return now - self._empty_since < _GIVEN_UP_AFTER_S

    def catch_up(self, now: float, ahead_s: float, longest_s: float) -> bool:
        """Leave out what need not be waited for, and say whether something was.

        `ahead_s` is how long the next frame will lie at the carrier, `longest_s` how long that and the wait here may
        be together.
        """
        if not self._frames:
            self._early = 0
            return False
        pcm, came_at = self._frames[0]
        self._early = self._early + 1 if now - came_at + ahead_s > longest_s else 0
        if not ((self._early >= _EARLY_FRAMES or len(self._frames) > _RELAXED_FRAMES) and _is_quiet(pcm)):
            return False
        self._frames.popleft()
        self._early = 0
        self.dropped += 1
        return True

    def take(self, now: float) -> Samples | None:
        try:
            pcm, _ = self._frames.popleft()
        except IndexError:
            return None
        return None if now < self._hushed_until else np.frombuffer(pcm, np.int16)

    def hush(self, now: float) -> None:
        """Its speaker was cut off: nothing of what was said before is to be heard any more."""
        self._frames.clear()
        self._hushed_until = now + _HUSH_S

    def close(self) -> None:
        self.is_closed = True
        if self._close:
            self._close()
            self._close = None


def _is_quiet(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, np.int16)
    return int(np.abs(samples).max(initial=0)) < _QUIET
