"""16-bit samples at a socket's own rate, to and from the phone line's mu-law. Keeps the filters of one stream."""

import numpy as np

from carrierbox.line.g711 import RATE, decode, encode
from carrierbox.line.resample import Resampler


class LinearCodec:
    """One stream's both directions. Odd bytes wait for the next block, so that no sample is ever torn."""

    def __init__(self, rate: int) -> None:
        self._up = Resampler(RATE, rate)
        self._down = Resampler(rate, RATE)
        self._odd = b""

    def from_line(self, sound: bytes) -> bytes:
        return self._up.push(decode(sound)).astype("<i2").tobytes()

    def to_line(self, samples: bytes) -> bytes:
        data = self._odd + samples
        even = len(data) // 2 * 2
        self._odd = data[even:]
        return encode(self._down.push(np.frombuffer(data[:even], dtype="<i2").astype(np.int16))) if even else b""
