"""What the phone says, evened out: it comes in jumps and with holes, and leaves in pieces of 20 ms without."""

from collections import deque
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rymi_server.telephony.bridge.line_levels import LineLevels

Samples = NDArray[np.int16]

PIECE_MS = 20
_PREBUFFER_MS = 40
# Above this, pieces without speech are left out until the delay is gone.
_RELAXED_MS = 80
_MOST_MS = 1_000
# Silence goes at once. Noise goes where the delay stays, because a jump alone would leave holes in it.
_QUIET = 200
_STAYS_MS = 500
# Noise has so many pieces of its like on either side: shorter gaps are within words, and the edges of words are soft.
_BESIDE = 2
# Where nothing of that helps, the softest go, few enough that words stay what they are.
_STAYS_LONG_MS = 5_000
_AT_MOST_ONE_IN = 5
# The last piece is repeated, and fades, while nothing comes.
_FADE = (0.6, 0.3)
_LARGEST_HOLE_MS = 200


class _Piece(NamedTuple):
    """Without samples it is a hole."""

    samples: Samples | None = None
    peak: int = 0


class PhoneAudio:
    """A jitter buffer. Bounded: what does not fit pushes out the oldest."""

    def __init__(self, rate: int) -> None:
        self._piece = rate * PIECE_MS // 1000
        self._per_ms = rate / 1000
        self._pieces: deque[_Piece] = deque()
        self._levels = LineLevels()
        # Peaks of what went last, and how long there has been too much, in pieces.
        self._behind: deque[int] = deque(maxlen=_BESIDE)
        self._late = 0
        self._since_left_out = 0
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
            self._add(line[number * self._piece : (number + 1) * self._piece])
        self._rest = line[whole * self._piece :]
        while self.buffered_ms > _MOST_MS:
            self._pieces.popleft()
            self.dropped_ms += PIECE_MS

    def pop(self) -> Samples:
        """The next 20 ms, made up where there are none."""
        if self._filling and self.buffered_ms < _PREBUFFER_MS:
            return self._made_up()
        self._filling = False
        self._late = self._late + 1 if self.buffered_ms > _RELAXED_MS else 0
        if self._late and self._need_not_be_heard():
            self._take()
            self._since_left_out = 0
            self.dropped_ms += PIECE_MS
        if not self._pieces:
            self._filling = True
            return self._made_up()
        self._since_left_out += 1
        samples = self._take()
        if samples is None:
            return self._made_up()
        self._last, self._faded = samples, 0
        return samples

    def _add(self, samples: Samples) -> None:
        peak = int(np.abs(samples).max())
        self._levels.add(peak)
        self._pieces.append(_Piece(samples, peak))

    def _take(self) -> Samples | None:
        piece = self._pieces.popleft()
        self._behind.append(piece.peak)
        return piece.samples

    def _need_not_be_heard(self) -> bool:
        """The next piece, of more than are wanted."""
        peak, late_ms = self._pieces[0].peak, self._late * PIECE_MS
        if peak < _QUIET:
            return True
        if late_ms < _STAYS_MS:
            return False
        ahead = (piece.peak for piece in islice(self._pieces, 1 + _BESIDE))
        if self._levels.are_noise((*self._behind, *ahead)):
            return True
        return late_ms >= _STAYS_LONG_MS and self._since_left_out >= _AT_MOST_ONE_IN and self._levels.is_soft(peak)

    def _in_order(self, length: int, at_ms: int | None) -> bool:
        if at_ms is None or not length:
            return True
        duration = length / self._per_ms
        hole = 0.0 if self._next_ms is None else at_ms - self._next_ms
        if -_LARGEST_HOLE_MS < hole <= -duration:
            return False
        self._next_ms = at_ms + duration
        if PIECE_MS <= hole <= _LARGEST_HOLE_MS:
            self._pieces.extend([_Piece()] * int(hole // PIECE_MS))
        return True

    def _made_up(self) -> Samples:
        if self._faded >= len(_FADE):
            return self._silence
        piece = (self._last * _FADE[self._faded]).astype(np.int16)
        self._faded += 1
        self.concealed_ms += PIECE_MS
        return piece
