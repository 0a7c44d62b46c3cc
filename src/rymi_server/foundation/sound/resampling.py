"""Changes the sample rate of a live stream, block by block, with about 2 ms of delay and nothing held back.

Blocks of samples become blocks of others, and each by the same product with a matrix, which processors do best.
"""

from functools import lru_cache
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

_HALF_WIDTH: Final = 16
_PASSBAND: Final = 0.94
_KAISER_BETA: Final = 8.0
# About so many samples come out of a block.
_BLOCK: Final = 128

Samples = NDArray[np.int16]


class PolyResampler:
    """A polyphase windowed-sinc filter. It keeps each block's tail, so no block's size can be heard."""

    def __init__(self, source: int, target: int) -> None:
        if source <= 0 or target <= 0:
            raise ValueError("a sample rate is positive")
        divisor = gcd(source, target)
        self._up, self._down = target // divisor, source // divisor
        self._taps, self._matrix = _matrix(self._up, self._down)
        periods = self._matrix.shape[1] // self._up
        self._block_in, self._block_out = self._down * periods, self._up * periods
        # From the beginning of a block on, and as much before it as the filter reaches back.
        self._line: NDArray[np.float32] = np.zeros(self._taps - 1, np.float32)
        # How much of that block is out already.
        self._out = 0

    def push(self, samples: Samples) -> Samples:
        if self._up == self._down:
            return samples
        line = np.concatenate([self._line, samples.astype(np.float32)])
        known = -(-(len(line) - self._taps + 1) * self._up // self._down)
        out = self._blocks(line, -(-known // self._block_out))[self._out : known]
        whole = known // self._block_out
        self._line, self._out = line[whole * self._block_in :], known - whole * self._block_out
        np.clip(np.rint(out, out), -32_768, 32_767, out)
        return out.astype(np.int16)

    def push_bytes(self, pcm: bytes) -> bytes:
        return self.push(np.frombuffer(pcm, np.int16)).tobytes()

    def flush(self) -> Samples:
        """What is left of the filter's delay at the end of a stream."""
        return self.push(np.zeros(self._taps // 2, np.int16)) if self._up != self._down else np.zeros(0, np.int16)

    def _blocks(self, line: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """What so many blocks give; what is not there yet counts as silence."""
        width = len(self._matrix)
        room = np.zeros(max(0, count - 1) * self._block_in + width, np.float32)
        length = min(len(line), len(room))
        room[:length] = line[:length]
        step = room.itemsize
        windows = np.lib.stride_tricks.as_strided(room, (count, width), (self._block_in * step, step))
        given: NDArray[np.float32] = np.ascontiguousarray(windows) @ self._matrix
        return given.ravel()


@lru_cache(maxsize=64)
def _matrix(up: int, down: int) -> tuple[int, NDArray[np.float32]]:
    """The filter's length, and what a block is multiplied with. The same for every stream between two rates."""
    taps, phases = _filter(up, down)
    periods = max(1, _BLOCK // up)
    matrix = np.zeros((down * periods + taps - 1, up * periods), np.float32)
    for out in range(up * periods):
        start, phase = divmod(out * down, up)
        matrix[start : start + taps, out] = phases[phase]
    return taps, matrix


def _filter(up: int, down: int) -> tuple[int, NDArray[np.float32]]:
    """Taps of each phase, time reversed."""
    widest = max(up, down)
    taps = 2 * _HALF_WIDTH * (1 if up >= down else -(-down // up))
    length = taps * up
    around = np.arange(length) - (length - 1) / 2
    cutoff = _PASSBAND / widest
    shape = cutoff * np.sinc(cutoff * around) * np.kaiser(length, _KAISER_BETA)
    shape *= up / shape.sum()
    return taps, np.ascontiguousarray(shape.reshape(taps, up)[::-1].T.astype(np.float32))
