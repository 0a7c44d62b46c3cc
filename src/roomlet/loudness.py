"""How loud a sender says its packets are."""

from roomlet.rtp import SILENCE


class Loudness:
    """The mean of the levels a sender declared since it was last asked."""

    __slots__ = ("_count", "_sum")

    def __init__(self) -> None:
        self._sum = self._count = 0

    def hear(self, level: int) -> None:
        self._sum += level
        self._count += 1

    def take(self) -> float:
        """Between 0 and 1, linear; starts the next measurement."""
        if not self._count:
            return 0.0
        mean = self._sum / self._count
        self._sum = self._count = 0
        return 0.0 if mean >= SILENCE else float(10 ** (-mean / 20))
