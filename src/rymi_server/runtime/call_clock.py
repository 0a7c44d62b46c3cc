"""The call's clock: milliseconds since the first person was heard of in the room. It is steady."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class CallClock:
    """Not running until it is started, or continued after a predecessor."""

    now: Callable[[], float]
    wall: Callable[[], datetime]
    _zero: float | None = None

    @property
    def running(self) -> bool:
        return self._zero is not None

    def start(self) -> datetime:
        self._zero = self.now()
        return self.wall()

    def resume(self, started_at: datetime) -> None:
        """A wall clock that was set back in between must not bring times before the beginning."""
        since = max(timedelta(), self.wall() - started_at)
        self._zero = self.now() - since.total_seconds()

    def ms(self) -> int:
        return self.ms_at(self.now())

    def ms_at(self, moment: float) -> int:
        """When that moment of the steady clock was; 0 before the clock was started."""
        return 0 if self._zero is None else max(0, round((moment - self._zero) * 1_000))
