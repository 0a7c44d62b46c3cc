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
        """Blocks of one length, one for each channel."""
        length = len(blocks[0])
        at = 0
        while at < length:
            until = min(length, at + self._stretch - self._samples)
            for index, block in enumerate(blocks):
                part = block[at:until]
                self._highest[index] = max(self._highest[index], int(part.max()), -int(part.min()))
            self._samples += until - at
            at = until
            if self._samples == self._stretch:
                self._complete()

    def _complete(self) -> None:
        for index, highest in enumerate(self._highest):
            self._peaks[index].append(highest * 100 // _FULL)
            self._highest[index] = 0
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
