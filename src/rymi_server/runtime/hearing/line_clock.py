"""When sound was made that comes in jerks: by how much of it came, not by when it did."""

import math
from dataclasses import dataclass
from typing import Final

from rymi_server.speech_engines.promises import HEARING_RATE

# Sound that seems to come earlier than it can by this much shows that what came before was late.
_EARLIER_S: Final = 0.02
# What is later than this did not hang somewhere: the line was silent for a while.
_PAUSED_S: Final = 0.5
# What has been late for so long does not hang somewhere either: some of the sound is missing, or a clock is slow.
_BELIEVED_AFTER_S: Final = 2.0


@dataclass(slots=True)
class LineClock:
    """One for each line. Of all pieces the one that was under way for the shortest time tells the time."""

    _anchor: float | None = None
    _samples: int = 0
    # The earliest anchor of those that were seen since then.
    _lately: float = math.inf
    _since: float = 0.0

    def moment(self, arrived: float, samples: int) -> float:
        """The steady clock's time at which the last of these samples was heard on this machine at the earliest."""
        self._samples += samples
        length = self._samples / HEARING_RATE
        anchor = arrived - length
        if self._anchor is None or not self._anchor - _EARLIER_S <= anchor <= self._anchor + _PAUSED_S:
            self._anchor, self._lately, self._since = anchor, anchor, arrived
        self._lately = min(self._lately, anchor)
        if arrived - self._since >= _BELIEVED_AFTER_S:
            if self._lately > self._anchor + _EARLIER_S:
                self._anchor = self._lately
            self._lately, self._since = anchor, arrived
        return self._anchor + length
