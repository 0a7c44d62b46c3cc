"""When sound was made that comes in jerks: by how much of it came, not by when it did."""

from dataclasses import dataclass
from typing import Final

from rymi_server.speech_engines.promises import HEARING_RATE

# Sound that seems to come earlier than it can by this much shows that what came before was late.
_EARLIER_S: Final = 0.02
# What is later than this did not hang somewhere: the line was silent for a while.
_PAUSED_S: Final = 0.5


@dataclass(slots=True)
class LineClock:
    """One for each line. Of all pieces the one that was under way for the shortest time tells the time."""

    _anchor: float | None = None
    _samples: int = 0

    def moment(self, arrived: float, samples: int) -> float:
        """The steady clock's time at which the last of these samples was heard on this machine at the earliest."""
        self._samples += samples
        length = self._samples / HEARING_RATE
        anchor = arrived - length
        if self._anchor is None or not self._anchor - _EARLIER_S <= anchor <= self._anchor + _PAUSED_S:
            self._anchor = anchor
        return self._anchor + length
