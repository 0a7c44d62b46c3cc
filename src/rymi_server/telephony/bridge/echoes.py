"""What marks that come back tell of the carrier's own clock, and how much must lie there for it not to run dry. Pure.

A mark comes back once the frame before it has been played. What it took beyond that frame's own time, beyond the
frames before it, and beyond the way there and back, the carrier let it lie: it plays a frame each 20 ms of its own,
and what comes between waits.
"""

from collections import deque

FRAME_S = 0.02
# A mark may be late for reasons of its own; of so many, one was not.
_OF = 3
# Whoever plays later from one mark to the next, by so much, had nothing to play in between.
_RAN_DRY_S = 0.012
# What of the room's jitter and the network's is outlived: at first, for each time that it was not, and at most.
_LEAST_S, _MORE_S, _MOST_S = 0.012, 0.01, 0.06
_SHRINKS_EVERY_S = 60.0
_GROWS_EVERY_S = 1.0


class Echoes:
    """`longer_s` is how much longer a frame lies at the carrier than on paper."""

    def __init__(self) -> None:
        self.longer_s = 0.0
        self._way_s: float | None = None
        self._last: deque[float] = deque(maxlen=_OF)

    def of_nothing(self, took_s: float) -> None:
        """A mark that had nothing before it is back: there was only the way."""
        self._way_s = took_s

    def of_frame(self, took_s: float, lay_s: float) -> float:
        """A frame's mark is back; on paper the frame lay for `lay_s`. By how much the carrier has run dry meanwhile."""
        beyond = took_s - FRAME_S - lay_s
        # Nothing is played sooner than on paper.
        self._way_s = beyond if self._way_s is None else min(self._way_s, beyond)
        self._last.append(beyond - self._way_s)
        before, self.longer_s = self.longer_s, min(self._last)
        is_known = len(self._last) == _OF
        return self.longer_s - before if is_known and self.longer_s - before > _RAN_DRY_S else 0.0

    def way_is_longer(self, seconds: float) -> None:
        """What was taken for lying there was the way."""
        if self._way_s is not None:
            self._way_s += seconds
            self.longer_s = max(0.0, self.longer_s - seconds)
            self._last = deque((max(0.0, each - seconds) for each in self._last), _OF)

    def begin_anew(self) -> None:
        """The carrier forgets all that lies there, and begins in another moment of its 20 ms."""
        self.longer_s = 0.0
        self._last.clear()


class Reserve:
    """How long before its turn a frame should come at the latest. Grows at once, and shrinks by and by."""

    def __init__(self) -> None:
        self._seconds = _LEAST_S
        self._since: float | None = None

    def seconds(self, now: float) -> float:
        if self._since is not None and now - self._since > _SHRINKS_EVERY_S:
            self._since = now
            self._seconds = max(_LEAST_S, self._seconds - _MORE_S)
        return self._seconds

    def fell_short(self, now: float) -> None:
        """What was due was not there. A hole of several frames counts once."""
        if self._since is None or now - self._since > _GROWS_EVERY_S:
            self._since = now
            self._seconds = min(_MOST_S, self._seconds + _MORE_S)
