"""How much the carrier has still to play, and whether it may be given more. Pure: time comes as an argument.

What is sent runs off in real time on paper; marks that come back say how it really went. A mark's name carries the
generation of what was sent, and a clear begins a new one: an echo of the old one can then do no harm.
"""

from collections import deque
from dataclasses import dataclass

from rymi_server.telephony.bridge.echoes import FRAME_S, Echoes, Reserve

# While so much lies at the carrier, the next frame is not sent, though it be there.
LEAD_FRAMES = 1.25
# At the last moment something is sent, be it silence.
_LAST_MOMENT_FRAMES = 0.3
# More than this that lies there longer than on paper is no reason to hold back: it would pile up here.
_HELD_BACK_FRAMES = 2.0
# A frame that was left out shows in the marks within this.
_LEFT_OUT_SHOWS_WITHIN_S = 2.0
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
    # How long what it stands behind lies at the carrier, on paper. None for a mark that stands behind nothing.
    lies_s: float | None


class CarrierClock:
    def __init__(self) -> None:
        self.generation = 1
        self.marks_lost = 0
        self._sent = 0
        self._since_mark = 0
        self._waiting: deque[_Mark] = deque()
        # Frames that the carrier has not begun to play, on paper. Less than none where it plays later than that.
        self._paper = 0.0
        self._counted_at: float | None = None
        self._echoes = Echoes()
        self._reserve = Reserve()
        self._left_out_at: float | None = None
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
        return self._paper * FRAME_S + self._echoes.longer_s

    @property
    def at_last_moment(self) -> bool:
        """Whether the carrier is about to run dry."""
        return self._ahead < _LAST_MOMENT_FRAMES

    @property
    def is_dry(self) -> bool:
        """Whether the carrier has nothing left to play."""
        return self._ahead <= 0

    @property
    def backlog_frames(self) -> int:
        """Frames that the carrier has not played, as far as we know."""
        return max(0, int(self._paper)) + max(self._excess, self._late, 0)

    def longest_s(self, now: float) -> float:
        """How long a frame need take at most from the room to its turn at the carrier, in steps of a frame."""
        return self._reserve.seconds(now) + FRAME_S

    def fell_short(self, now: float) -> None:
        """A voice was not there in time."""
        self._reserve.fell_short(now)

    def left_out(self, now: float) -> None:
        """A frame was left out, so that less lies there from now on."""
        self._left_out_at = now

    def opened(self, now: float) -> str:
        """Nothing lies there. The name of a mark that tells how far it is."""
        mark = _Mark(f"g{self.generation}-way", self._sent, now, None)
        self._waiting.append(mark)
        return mark.name

    def sent(self, now: float) -> str | None:
        """A frame is on its way. The name of the mark that should follow it, if one should."""
        self._run_off(now)
        lies_s = self._paper * FRAME_S
        self._paper += 1
        self._sent += 1
        self._since_mark += 1
        if self._since_mark < _MARK_EVERY:
            return None
        self._since_mark = 0
        mark = _Mark(f"g{self.generation}-{self._sent}", self._sent, now, lies_s)
        self._waiting.append(mark)
        return mark.name

    def played(self, name: str, now: float) -> bool:
        """A mark came back. Whether it is one that we wait for: echoes of another generation mean nothing."""
        found = next((mark for mark in self._waiting if mark.name == name), None)
        if found is None:
            return False
        while self._waiting.popleft() is not found:
            pass
        if found.lies_s is None:
            self._echoes.of_nothing(now - found.at)
            return True
        self._learn(self._echoes.of_frame(now - found.at, found.lies_s), now)
        between = self._sent - found.index
        self._usual = min(self._usual, between)
        self._excess = between - self._usual
        if LEAD_FRAMES + self._excess >= MOST_AHEAD:
            # Nothing is sent until this has run off.
            self._paper, self._excess = max(self._paper, LEAD_FRAMES + self._excess), 0
            self._echoes.begin_anew()
        return True

    def cleared(self) -> None:
        """The carrier was told to forget everything."""
        self.generation += 1
        self._waiting.clear()
        self._paper = 0.0
        self._excess = 0
        self._echoes.begin_anew()

    def restarted(self) -> None:
        """Another socket: nothing lies there, and nothing is known of its ways."""
        self.cleared()
        self._echoes = Echoes()
        self._usual = _NOT_YET_KNOWN
        self._since_mark = 0

    @property
    def _ahead(self) -> float:
        return self._paper + self._longer

    @property
    def _longer(self) -> float:
        return min(_HELD_BACK_FRAMES, self._echoes.longer_s / FRAME_S)

    def _learn(self, ran_dry_s: float, now: float) -> None:
        if not ran_dry_s:
            return
        if self._left_out_at is not None and now - self._left_out_at < _LEFT_OUT_SHOWS_WITHIN_S:
            # Less lay there than it seemed.
            self._echoes.way_is_longer(ran_dry_s)
        else:
            self._reserve.fell_short(now)

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
            self._paper = max(-self._longer, self._paper - (now - self._counted_at) / FRAME_S)
        self._counted_at = now
