"""How much the carrier has still to play, and whether it may be given more. Pure: time comes as an argument.

What is sent runs off in real time on paper; marks that come back say how it really went. A mark's name carries the
generation of what was sent, and a clear begins a new one: an echo of the old one can then do no harm.
"""

from collections import deque
from dataclasses import dataclass

FRAME_S = 0.02
# What lies at the carrier in good times, before the next frame is sent: it bridges the jitter of network and loop.
LEAD_FRAMES = 1.25
# Never more than 200 ms ahead of the carrier's clock.
MOST_AHEAD = 10
# A backlog that is not longer is heard out in the time that a clear takes.
CLEAR_ABOVE = 3
_MARK_EVERY = 10
# Who has not answered a mark in three seconds does not answer marks.
_MARKS_FAIL_AFTER_S = 3.0
_NOT_YET_KNOWN = 1_000_000


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str
    index: int
    at: float


class CarrierClock:
    def __init__(self) -> None:
        self.generation = 1
        self.marks_lost = 0
        self._sent = 0
        self._since_mark = 0
        self._waiting: deque[_Mark] = deque()
        self._ahead = 0.0
        self._counted_at: float | None = None
        # How many frames are sent, at best, between a mark and its echo: the lead and the way there and back.
        self._usual = _NOT_YET_KNOWN
        self._excess = 0

    def due(self, now: float) -> int:
        """How many frames should be sent now, to have the lead at the carrier."""
        self._run_off(now)
        self._give_up_on_marks(now)
        if self._late >= MOST_AHEAD:
            return 0
        return max(0, int(LEAD_FRAMES + 1 - self._ahead))

    @property
    def ahead_s(self) -> float:
        """How long what is sent now will lie at the carrier."""
        return self._ahead * FRAME_S

    @property
    def starving(self) -> bool:
        """Whether the carrier runs dry within a frame."""
        return self._ahead < 1

    @property
    def backlog_frames(self) -> int:
        """Frames that the carrier has not played, as far as we know."""
        return int(self._ahead) + max(self._excess, self._late, 0)

    def sent(self, now: float) -> str | None:
        """A frame is on its way. The name of the mark that should follow it, if one should."""
        self._run_off(now)
        self._ahead += 1
        self._sent += 1
        self._since_mark += 1
        if self._since_mark < _MARK_EVERY:
            return None
        self._since_mark = 0
        mark = _Mark(f"g{self.generation}-{self._sent}", self._sent, now)
        self._waiting.append(mark)
        return mark.name

    def played(self, name: str) -> bool:
        """A mark came back. Whether it is one that we wait for: echoes of another generation mean nothing."""
        found = next((mark for mark in self._waiting if mark.name == name), None)
        if found is None:
            return False
        while self._waiting.popleft() is not found:
            pass
        between = self._sent - found.index
        self._usual = min(self._usual, between)
        self._excess = between - self._usual
        if LEAD_FRAMES + self._excess >= MOST_AHEAD:
            # Nothing is sent until this has run off.
            self._ahead, self._excess = max(self._ahead, LEAD_FRAMES + self._excess), 0
        return True

    def cleared(self) -> None:
        """The carrier was told to forget everything."""
        self.generation += 1
        self._waiting.clear()
        self._ahead = 0.0
        self._excess = 0

    def restarted(self) -> None:
        """Another socket: nothing lies there, and nothing is known of its ways."""
        self.cleared()
        self._usual = _NOT_YET_KNOWN
        self._since_mark = 0

    @property
    def _late(self) -> int:
        """How many frames the oldest mark is later than it usually would be."""
        return self._sent - self._waiting[0].index - self._usual if self._waiting else 0

    def _give_up_on_marks(self, now: float) -> None:
        if self._waiting and now - self._waiting[0].at > _MARKS_FAIL_AFTER_S:
            self.marks_lost += len(self._waiting)
            self._waiting.clear()
            self._excess = 0

    def _run_off(self, now: float) -> None:
        if self._counted_at is not None:
            self._ahead = max(0.0, self._ahead - (now - self._counted_at) / FRAME_S)
        self._counted_at = now
