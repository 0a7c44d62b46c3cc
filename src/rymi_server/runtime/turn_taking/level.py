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


_RESPONSE = _two_high_passes()


class BandLevel:
    """dBFS of each frame of 20 ms at 16 kHz, from 250 to 4,000 Hz. It keeps the last samples between frames."""

    def __init__(self) -> None:
        self._tail: NDArray[np.float32] = np.zeros(_TAPS - 1, np.float32)

    def push(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, np.int16).astype(np.float32)
        line = np.concatenate([self._tail, (samples[::2] + samples[1::2]) * np.float32(0.5 / 32768)])
        self._tail = line[1 - _TAPS :]
        passed = np.convolve(line, _RESPONSE, "valid")
        return 10 * math.log10(float(passed @ passed) / len(passed) + 1e-10)
