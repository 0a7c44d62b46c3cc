"""Changes the sample rate of a live stream, block by block, with about 2 ms of delay and nothing held back."""

from math import gcd

import numpy as np
from numpy.typing import NDArray

from carrierbox.line.g711 import Samples

HALF_WIDTH = 16
PASSBAND = 0.94
KAISER_BETA = 8.0


class Resampler:
    """A polyphase windowed-sinc filter. It keeps each block's tail, so no block's size can be heard."""

    def __init__(self, source: int, target: int) -> None:
        divisor = gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self._taps, self._phases = _filter(self._up, self._down)
        self._tail: NDArray[np.float32] = np.zeros(self._taps - 1, np.float32)
        self._position = 0

    def push(self, samples: Samples) -> Samples:
        if self._up == self._down:
            return samples
        line = np.concatenate([self._tail, samples.astype(np.float32)])
        starts = len(line) - self._taps + 1
        out: NDArray[np.float32]
        if self._down == 1:
            out = np.stack([np.correlate(line, phase, "valid") for phase in self._phases], axis=1).ravel()
        elif self._up == 1:
            out = np.correlate(line, self._phases[0], "valid")[self._position :: self._down]
            self._position = (self._position - starts) % self._down
        else:
            windows = np.lib.stride_tricks.sliding_window_view(line, self._taps)
            count = max(0, -(-(starts * self._up - self._position) // self._down))
            at = self._position + self._down * np.arange(count)
            index = at // self._up
            out = np.einsum("ij,ij->i", windows[index], self._phases[at - index * self._up])
            self._position += self._down * count - starts * self._up
        self._tail = line[starts:]
        return np.clip(np.rint(out), -32768, 32767).astype(np.int16)


def _filter(up: int, down: int) -> tuple[int, NDArray[np.float32]]:
    widest = max(up, down)
    taps = 2 * HALF_WIDTH * (1 if up >= down else -(-down // up))
    length = taps * up
    around = np.arange(length) - (length - 1) / 2
    cutoff = PASSBAND / widest
    shape = cutoff * np.sinc(cutoff * around) * np.kaiser(length, KAISER_BETA)
    shape *= up / shape.sum()
    return taps, np.ascontiguousarray(shape.reshape(taps, up)[::-1].T.astype(np.float32))
