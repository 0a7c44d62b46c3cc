"""What the phone says, evened out: it comes in jumps and with holes, and leaves in pieces of 20 ms without."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

PIECE_MS = 20
_PREBUFFER_MS = 40
# Above this, pieces without speech are left out until the delay is gone.
_RELAXED_MS = 80
_MOST_MS = 1_000
_QUIET = 200
# The last piece is repeated, and fades, while nothing comes.
_FADE = (0.6, 0.3)
_LARGEST_HOLE_MS = 200


class PhoneAudio:
    """A jitter buffer. Bounded: what does not fit pushes out the oldest."""

    def __init__(self, rate: int) -> None:
        self._piece = rate * PIECE_MS // 1000
        self._per_ms = rate / 1000
        self._pieces: deque[Samples | None] = deque()
        self._rest: Samples = np.zeros(0, np.int16)
        self._silence: Samples = np.zeros(self._piece, np.int16)
        self._last = self._silence
        self._filling = True
        self._faded = len(_FADE)
        self._next_ms: float | None = None
        self.dropped_ms = 0
        self.concealed_ms = 0

    @property
    def buffered_ms(self) -> int:
        return len(self._pieces) * PIECE_MS

    def push(self, samples: Samples, at_ms: int | None = None) -> None:
        """`at_ms`, on the stream's own clock, tells what was lost and what comes twice."""
        if not self._in_order(len(samples), at_ms):
            return
        line = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(line) // self._piece
        for number in range(whole):
            self._pieces.append(line[number * self._piece : (number + 1) * self._piece])
        self._rest = line[whole * self._piece :]
        while self.buffered_ms > _MOST_MS:
            self._pieces.popleft()
            self.dropped_ms += PIECE_MS

    def pop(self) -> Samples:
        """The next 20 ms, made up where there are none."""
        if self._filling and self.buffered_ms < _PREBUFFER_MS:
            return self._made_up()
        self._filling = False
        if self.buffered_ms > _RELAXED_MS and self._is_quiet(self._pieces[0]):
            self._pieces.popleft()
            self.dropped_ms += PIECE_MS
        if not self._pieces:
            self._filling = True
            return self._made_up()
        piece = self._pieces.popleft()
        if piece is None:
            return self._made_up()
        self._last, self._faded = piece, 0
        return piece

    def _in_order(self, length: int, at_ms: int | None) -> bool:
        if at_ms is None or not length:
            return True
        duration = length / self._per_ms
        hole = 0.0 if self._next_ms is None else at_ms - self._next_ms
        if -_LARGEST_HOLE_MS < hole <= -duration:
            return False
        self._next_ms = at_ms + duration
        if PIECE_MS <= hole <= _LARGEST_HOLE_MS:
            self._pieces.extend([None] * int(hole // PIECE_MS))
        return True

    def _made_up(self) -> Samples:
        if self._faded >= len(_FADE):
            return self._silence
        piece = (self._last * _FADE[self._faded]).astype(np.int16)
        self._faded += 1
        self.concealed_ms += PIECE_MS
        return piece

    @staticmethod
    def _is_quiet(piece: Samples | None) -> bool:
        return piece is None or int(np.abs(piece).max()) < _QUIET
