"""How loud a line was of late, and so what on it is only noise. It knows peaks, and no sound."""

from collections import deque
from collections.abc import Iterable

# 5 s of pieces: nobody speaks for so long without a gap, so the quietest tenth of them is noise.
_REMEMBERED = 250
_NOISE_TENTHS, _SOFT_TENTHS = 1, 2
_ABOVE_NOISE = 2
# A tone that never varies would be noise as well. What is louder than this is meant to be heard.
_LOUDEST_NOISE = 3_000
# Whoever asks for every piece would have them sorted each time.
_GOOD_FOR = 10


class LineLevels:
    def __init__(self) -> None:
        self._lately: deque[int] = deque(maxlen=_REMEMBERED)
        self._sorted: list[int] = []
        self._newer = 0

    def add(self, peak: int) -> None:
        self._lately.append(peak)
        self._newer += 1

    def are_noise(self, peaks: Iterable[int]) -> bool:
        """Whether none of them stands out."""
        loudest = min(_ABOVE_NOISE * self._softest(_NOISE_TENTHS), _LOUDEST_NOISE)
        return all(peak <= loudest for peak in peaks)

    def is_soft(self, peak: int) -> bool:
        """Whether it is among the softest fifth, noise or not."""
        return peak <= self._softest(_SOFT_TENTHS)

    def _softest(self, tenths: int) -> int:
        """How loud so many tenths are at most."""
        if self._newer >= _GOOD_FOR or not self._sorted:
            self._sorted, self._newer = sorted(self._lately), 0
        return self._sorted[len(self._sorted) * tenths // 10] if self._sorted else 0
