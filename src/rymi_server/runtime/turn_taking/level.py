"""The level of a frame in the band that speech is in: without the rumble beneath it and the hiss above."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAME_BYTES: Final = 640
_POLE: Final = 0.82  # a one-pole high-pass of about 250 Hz at 8 kHz
_TAPS: Final = 80  # its response is below -100 dB by then


def _two_high_passes() -> NDArray[np.float32]:
    """Two one-pole high-passes in a row, as the response to one sample."""
    n = np.arange(_TAPS)
    one = np.where(n == 0, 1.0, (_POLE - 1) * _POLE ** (n - 1.0)) * (1 + _POLE) / 2
    return np.convolve(one, one)[:_TAPS].astype(np.float32)


# Reversed, so that sliding it along the samples filters them.
_FILTER: Final = np.ascontiguousarray(_two_high_passes()[::-1])
_BEFORE: Final = _TAPS - 1
_HALVED: Final = FRAME_BYTES // 4
_SCALE: Final = (0.5 / 32768) ** 2


class BandLevel:
    """dBFS of each frame of 20 ms at 16 kHz, from 250 to 4,000 Hz. It keeps the last samples between frames.

    Between two frames other work takes the processor's caches, and each call of NumPy then takes 20 us: they are few.
    """

    def __init__(self) -> None:
        # At half the rate, twice as loud.
        self._line: NDArray[np.float32] = np.zeros(_BEFORE + _HALVED, np.float32)

    def push(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, np.int16)
        line = self._line
        line[:_BEFORE] = line[_HALVED:]
        np.add(samples[::2], samples[1::2], line[_BEFORE:], dtype=np.float32)
        passed = np.correlate(line, _FILTER)
        return 10 * math.log10(float(passed.dot(passed)) / _HALVED * _SCALE + 1e-10)
