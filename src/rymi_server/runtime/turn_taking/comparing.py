"""Runs a recorded caller through a turn detector, and says what would have been different. Fed with audio; no clock.

Words come from the final transcript, at the moment at which each line ended: later than a live recogniser's drafts, and
without their mistakes. What a detector decides by text is therefore a little better here than it was live.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rymi_server.runtime.turn_taking.signals import Dropped, Ended, TurnDetector

FRAME_MS: Final = 20
FRAME_BYTES: Final = 640
# How far apart two detectors may put the end of the same words.
_SAME_END_MS: Final = 700


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it was taken. `waited_ms` is how long after the last word the detector made sure that it was."""

    speech_ended_at_ms: int
    decided_at_ms: int
    why: str

    @property
    def waited_ms(self) -> int:
        return self.decided_at_ms - self.speech_ended_at_ms


@dataclass(frozen=True, slots=True)
class Replayed:
    turns: Sequence[Turn]
    dropped: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A turn then and now; one of them is missing where only the other detector found it."""

    then: Turn | None
    now: Turn | None

    @property
    def later_ms(self) -> int | None:
        """How much later the answer would have begun; negative where sooner."""
        return self.now.decided_at_ms - self.then.decided_at_ms if self.then and self.now else None


def replay(detector: TurnDetector, frames: Iterable[bytes], lines: Sequence[tuple[int, str]]) -> Replayed:
    """`lines` are (ended_at_ms, text) of the caller, in order."""
    turns: list[Turn] = []
    dropped = 0
    waiting = list(reversed(lines))
    for index, frame in enumerate(frames):
        at_ms = (index + 1) * FRAME_MS
        while waiting and waiting[-1][0] <= at_ms:
            detector.hear_draft(waiting.pop()[1])
        for signal in detector.push(frame):
            if isinstance(signal, Ended):
                turns.append(Turn(signal.speech_ended_at_ms, signal.at_ms, signal.why))
            elif isinstance(signal, Dropped):
                dropped += 1
    return Replayed(turns, dropped)


def traced(turns: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """The turns of a call as its agent noted them."""
    return [Turn(each["speech_ended_at_ms"], each["decided_at_ms"], each["end_reason"]) for each in turns]


def compare(then: Sequence[Turn], now: Sequence[Turn]) -> list[Difference]:
    """Each turn with the nearest of the other side, in the order of the call."""
    left = list(now)
    found: list[Difference] = []
    for turn in then:
        near = [each for each in left if abs(each.speech_ended_at_ms - turn.speech_ended_at_ms) <= _SAME_END_MS]
        match = min(near, key=lambda each: abs(each.speech_ended_at_ms - turn.speech_ended_at_ms), default=None)
        if match is not None:
            left.remove(match)
        found.append(Difference(turn, match))
    found += [Difference(None, each) for each in left]
    return sorted(found, key=_when)


def _when(difference: Difference) -> int:
    turn = difference.then or difference.now
    return turn.speech_ended_at_ms if turn else 0
