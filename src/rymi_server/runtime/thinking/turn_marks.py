"""A language model that is asked to tell whether the caller was done: each of its answers begins with a mark.

The mark is never spoken. After one that says the caller is not done nothing is, and the caller is waited for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from rymi_server.runtime.thinking.reading import mapping


class Judged(StrEnum):
    DONE = "done"
    """An answer is due."""
    CUT = "cut"
    """The caller stopped in the middle of a sentence."""
    THINKING = "thinking"
    """The caller asked for a moment."""


Marks = Mapping[Judged, str]
MARKS: Final[Mapping[str, Marks]] = {
    "unicode": {Judged.DONE: "\u2713", Judged.CUT: "\u25cb", Judged.THINKING: "\u25d0"},
    "ascii": {Judged.DONE: "<done>", Judged.CUT: "<cut>", Judged.THINKING: "<thinking>"},
}
_CUT_S: Final = 5.0
_THINKING_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class TurnCompletion:
    """For how long the caller is waited for."""

    marks: Marks
    cut_s: float = _CUT_S
    thinking_s: float = _THINKING_S

    @property
    def rules(self) -> tuple[str, ...]:
        done, cut, thinking = self.marks[Judged.DONE], self.marks[Judged.CUT], self.marks[Judged.THINKING]
        return (
            f"Begin each answer with one of three marks: {done}, {cut} or {thinking}. Nobody hears or sees it.",
            f"{done} and then your answer: the caller is done. A single word, a number or a yes is often all there is.",
            f"{cut} and nothing else: the caller stopped in mid-sentence and will go on.",
            f"{thinking} and nothing else: the caller asked you to wait, or is looking something up.",
        )

    @property
    def go_on(self) -> str:
        """What the model is told once the caller has been waited for."""
        return (
            f"The caller has not gone on. Begin with {self.marks[Judged.DONE]}, and answer what they have said so far, "
            "or ask for the rest in one short sentence."
        )

    def seconds(self, judged: Judged) -> float | None:
        """None: not at all."""
        return {Judged.CUT: self.cut_s, Judged.THINKING: self.thinking_s}.get(judged)


def turn_completion_of(agent: Mapping[str, Any]) -> TurnCompletion | None:
    """None unless it is switched on. What is no number there says nothing."""
    wanted = mapping(mapping(agent, "advanced"), "turnCompletion")
    if wanted.get("enabled") is not True:
        return None
    marks = MARKS["ascii" if wanted.get("markerSet") == "ascii" else "unicode"]
    return TurnCompletion(
        marks,
        cut_s=_seconds(wanted.get("incompleteShortMs"), _CUT_S),
        thinking_s=_seconds(wanted.get("incompleteLongMs"), _THINKING_S),
    )


class MarkReader:
    """Reads one answer as it comes, and gives back what of it may be spoken. One without a mark is one that is due."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._begun = ""
        self.judged: Judged | None = None
        """None until it shows."""

    @property
    def is_silent(self) -> bool:
        return self.judged in (Judged.CUT, Judged.THINKING)

    def feed(self, piece: str) -> str:
        if self.judged is not None:
            return "" if self.is_silent else piece
        self._begun = (self._begun + piece).lstrip()
        for judged, mark in self._marks.items():
            if self._begun.startswith(mark):
                self.judged = judged
                return "" if self.is_silent else self._begun[len(mark) :].lstrip()
        if any(mark.startswith(self._begun) for mark in self._marks.values()):
            return ""
        return self.finish()

    def finish(self) -> str:
        """There is no mark, or none any more."""
        if self.judged is not None:
            return ""
        self.judged = Judged.DONE
        return self._begun


def _seconds(value: object, own: float) -> float:
    return value / 1_000 if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else own
