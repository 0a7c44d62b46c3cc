"""The outline of a recording, small enough to be sent with a page: loudest samples per stretch, 0 to 100."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PER_SECOND: Final = 10
_MOST: Final = 2_000
_FULL: Final = 32_768


class Peaks:
    def __init__(self, rate: int, channels: tuple[str, ...]) -> None:
        self._stretch = rate // _PER_SECOND
        self._channels = channels
        self._peaks: list[list[int]] = [[] for _ in channels]
        self._highest = [0] * len(channels)
        self._samples = 0

    def push(self, blocks: tuple[NDArray[np.int16], ...]) -> None:
        """Blocks of one length that divides a tenth of a second, one for each channel."""
        self._samples += len(blocks[0])
        full = self._samples >= self._stretch
        for index, block in enumerate(blocks):
            low, high = int(block.min()), int(block.max())
            self._highest[index] = max(self._highest[index], high, -low)
            if full:
                self._peaks[index].append(self._highest[index] * 100 // _FULL)
                self._highest[index] = 0
        if full:
            self._samples = 0

    def outline(self) -> dict[str, Any]:
        """At most 2 000 points a channel, whatever the length."""
        length = len(self._peaks[0])
        step = max(1, -(-length // _MOST))
        merged = {
            name: [max(peaks[at : at + step]) for at in range(0, length, step)]
            for name, peaks in zip(self._channels, self._peaks, strict=True)
        }
        return {"ms_per_point": 1_000 * step // _PER_SECOND, "channels": merged}
