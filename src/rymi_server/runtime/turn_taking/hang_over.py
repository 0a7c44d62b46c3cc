"""How long to wait in silence before a turn is over: by the words so far, and by how this speaker pauses."""

from collections import deque
from typing import Final

from rymi_server.runtime.turn_taking.completeness import Sounds, sounds
from rymi_server.runtime.turn_taking.modes import Hang
from rymi_server.speech_engines.promises import Expected

# A speaker who goes on so soon after we took the turn for ended was cut.
_CUT_WITHIN_MS: Final = 900
_AFTER_A_CUT_MS: Final = 200
_CLEAN_TURNS: Final = 3
_PER_CLEAN_TURN_MS: Final = 40
_BELOW_BASE_MS: Final = 150
_LONGEST_MS: Final = 1_300
_LONGEST_BY_PAUSES_MS: Final = 1_200
_OVER_PAUSES_MS: Final = 150
_PAUSES_KEPT: Final = 20
_PAUSES_NEEDED: Final = 4
_SHORTEST_PAUSE_MS: Final = 160
# Words that came so long before the speech belong to what was said earlier.
_DRAFT_BEFORE_MS: Final = 1_000


class HangOver:
    """One speaker's. It learns from cuts and from pauses, and reads the drafts of the recogniser."""

    def __init__(self, hang: Hang, language: str = "en") -> None:
        self._hang = hang
        self._language = language
        self._base_ms: float = hang.base_ms
        self._pauses: deque[int] = deque(maxlen=_PAUSES_KEPT)
        self._ended_at_ms: int | None = None
        self._clean_turns = 0
        self._expected: Expected | None = None
        self._draft = ""
        self._draft_at_ms = 0
        self._sounds = Sounds.MID

    @property
    def sounds(self) -> Sounds:
        return self._sounds

    @property
    def draft(self) -> str:
        """What the recogniser has heard of this turn so far."""
        return self._draft

    @property
    def has_words(self) -> bool:
        """Whether the recogniser has heard anything in this turn."""
        return bool(self._draft.strip())

    def expect(self, expected: Expected | None) -> None:
        self._expected = expected
        self._judge()

    def hear_draft(self, text: str, at_ms: int) -> None:
        self._draft_at_ms = at_ms
        if text != self._draft:
            self._draft = text
            self._judge()

    def began(self, at_ms: int) -> None:
        if self._draft_at_ms < at_ms - _DRAFT_BEFORE_MS:
            self._forget_words()
        if self._hang.adaptive and self._ended_at_ms is not None and at_ms - self._ended_at_ms < _CUT_WITHIN_MS:
            self._base_ms = min(self._longest, self._base_ms + _AFTER_A_CUT_MS)
            self._clean_turns = 0

    def resumed(self, silence_ms: int) -> None:
        if silence_ms >= _SHORTEST_PAUSE_MS:
            self._pauses.append(silence_ms)

    def ended(self, at_ms: int, was_turn: bool) -> None:
        self._forget_words()
        if not was_turn:
            return
        self._ended_at_ms = at_ms
        if self._hang.adaptive:
            self._adapt()

    def chosen(self) -> tuple[int, str]:
        """Milliseconds of silence, and why so many."""
        base = round(self._base_ms)
        if self._hang.text_aware:
            if self._sounds is Sounds.DONE and self._hang.done_ms < base:
                return self._hang.done_ms, "sounds_done"
            if self._sounds is Sounds.OPEN and self._hang.open_ms > base:
                return self._hang.open_ms, "sounds_open"
            if self._sounds is Sounds.DIGITS and self._hang.digits_ms > base:
                return self._hang.digits_ms, "within_a_number"
        return base, "fixed" if base == self._hang.base_ms else "adapted"

    @property
    def _longest(self) -> float:
        return max(_LONGEST_MS, self._hang.base_ms)

    def _adapt(self) -> None:
        self._clean_turns += 1
        if self._clean_turns > _CLEAN_TURNS:
            self._base_ms = max(self._hang.base_ms - _BELOW_BASE_MS, self._base_ms - _PER_CLEAN_TURN_MS)
        if len(self._pauses) >= _PAUSES_NEEDED:
            usual = sorted(self._pauses)[int(len(self._pauses) * 0.8)]
            self._base_ms = max(self._base_ms, min(_LONGEST_BY_PAUSES_MS, usual + _OVER_PAUSES_MS))

    def _forget_words(self) -> None:
        self._draft = ""
        self._sounds = Sounds.MID

    def _judge(self) -> None:
        self._sounds = sounds(self._draft, self._expected, self._language)
