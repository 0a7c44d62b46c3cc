"""Changes the sample rate of a live stream, block by block, with about 2 ms of delay and nothing held back."""

from functools import lru_cache
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HALF_WIDTH: Final = 16
_PASSBAND: Final = 0.94
_KAISER_BETA: Final = 8.0
# What is worked on fits into a processor's own memory.
_AT_ONCE: Final = 4_096

Samples = NDArray[np.int16]


class PolyResampler:
    """A polyphase windowed-sinc filter. It keeps each block's tail, so no block's size can be heard."""

    def __init__(self, source: int, target: int) -> None:
        if source <= 0 or target <= 0:
            raise ValueError("a sample rate is positive")
        divisor = gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self._taps, self._phases = _filter(self._up, self._down)
        self._tail: NDArray[np.float32] = np.zeros(self._taps - 1, np.float32)
        self._position = 0

    def push(self, samples: Samples) -> Samples:
        if self._up == self._down:
            return samples
        if len(samples) <= _AT_ONCE:
            return self._push(samples)
        return np.concatenate([self._push(samples[at : at + _AT_ONCE]) for at in range(0, len(samples), _AT_ONCE)])

    def _push(self, samples: Samples) -> Samples:
        line = np.concatenate([self._tail, samples.astype(np.float32)])
        starts = len(line) - self._taps + 1
        out = self._filtered(line, starts)
        self._tail = line[starts:]
        return np.clip(np.rint(out), -32_768, 32_767).astype(np.int16)

    def push_bytes(self, pcm: bytes) -> bytes:
        return self.push(np.frombuffer(pcm, np.int16)).tobytes()

    def flush(self) -> Samples:
        """What is left of the filter's delay at the end of a stream."""
        return self.push(np.zeros(self._taps // 2, np.int16)) if self._up != self._down else np.zeros(0, np.int16)

    def _filtered(self, line: NDArray[np.float32], starts: int) -> NDArray[np.float32]:
        if starts <= 0:
            return np.zeros(0, np.float32)
        if self._down == 1:
            return np.stack([np.correlate(line, phase, "valid") for phase in self._phases], axis=1).ravel()
        if self._up == 1:
            thinned: NDArray[np.float32] = np.correlate(line, self._phases[0], "valid")[self._position :: self._down]
            self._position = (self._position - starts) % self._down
            return thinned
        windows = np.lib.stride_tricks.sliding_window_view(line, self._taps)
        count = max(0, -(-(starts * self._up - self._position) // self._down))
        at = self._position + self._down * np.arange(count)
        index = at // self._up
        out: NDArray[np.float32] = np.einsum("ij,ij->i", windows[index], self._phases[at - index * self._up])
        self._position += self._down * count - starts * self._up
        return out


@lru_cache(maxsize=64)
def _filter(up: int, down: int) -> tuple[int, NDArray[np.float32]]:
    """Taps of each phase, time reversed. The same for every stream between two rates."""
    widest = max(up, down)
    taps = 2 * _HALF_WIDTH * (1 if up >= down else -(-down // up))
    length = taps * up
    around = np.arange(length) - (length - 1) / 2
    cutoff = _PASSBAND / widest
    shape = cutoff * np.sinc(cutoff * around) * np.kaiser(length, _KAISER_BETA)
    shape *= up / shape.sum()
    return taps, np.ascontiguousarray(shape.reshape(taps, up)[::-1].T.astype(np.float32))
