"""One person's turns: the machine, fed by a score, and ended by the hang-over or by the recogniser."""

from typing import Final

from rymi_server.runtime.turn_taking.hang_over import HangOver
from rymi_server.runtime.turn_taking.level import FRAME_BYTES, BandLevel
from rymi_server.runtime.turn_taking.machine import Change, Machine
from rymi_server.runtime.turn_taking.modes import Parameters
from rymi_server.runtime.turn_taking.noise import QUIETEST_DB
from rymi_server.runtime.turn_taking.scores import Score
from rymi_server.runtime.turn_taking.signals import Began, Dropped, Ended, EngineUsed, Mode, Paused, Signal
from rymi_server.speech_engines.promises import FRAME_MS, Expected

# Silence after which an answer may be begun, in the hope that the turn is over.
PAUSE_MS: Final = 300
# Drafts of what has just ended still trickle in for so long; they are no words of the next turn.
_TRICKLE_MS: Final = 500


class Detector:
    """Keeps the promise of `TurnDetector`."""

    def __init__(self, used: EngineUsed, parameters: Parameters, score: Score, language: str = "en") -> None:
        self.parameters = parameters
        self._used = used
        self._score = score
        self._level = BandLevel()
        self._machine = Machine(parameters)
        self._hang_over = HangOver(parameters.hang, language)
        self._at_ms = 0
        self._ended_at_ms = -_TRICKLE_MS
        self._paused = False
        self._last_score = 0.0
        self._last_db = QUIETEST_DB
        self._boundaries: list[bool] = []

    @property
    def used(self) -> EngineUsed:
        return self._used

    @property
    def speaking(self) -> bool:
        return self._machine.open

    def push(self, frame: bytes) -> list[Signal]:
        if len(frame) != FRAME_BYTES:
            raise ValueError(f"a frame is {FRAME_BYTES} bytes, not {len(frame)}")
        self._at_ms += FRAME_MS
        self._last_db = self._level.push(frame)
        self._last_score = self._score.push(frame)
        signals = self._told_by_provider()
        change = self._machine.push(self._last_score, self._last_db)
        if change is Change.START:
            signals.append(self._begin())
        elif self._machine.open:
            if change is Change.RESUMED:
                self._hang_over.resumed(self._machine.broken_silence_ms)
                self._paused = False
            signals += self._after_silence()
        return signals

    def hear_draft(self, text: str) -> None:
        if not self._machine.open and self._at_ms - self._ended_at_ms < _TRICKLE_MS:
            return
        if text != self._hang_over.draft:
            # An answer to other words was begun in this pause: it is worth another one.
            self._paused = False
        self._hang_over.hear_draft(text, self._at_ms)
        if text and not self._machine.open and self._used.mode is Mode.PROVIDER and not self._used.fallback:
            self._boundaries.append(True)

    def hear_boundary(self, began: bool) -> None:
        if self._used.mode is Mode.PROVIDER and not self._used.fallback:
            self._boundaries.append(began)

    def expect(self, expected: Expected | None) -> None:
        self._hang_over.expect(expected)

    def trace(self) -> dict[str, float | str]:
        hang_ms, reason = self._hang_over.chosen()
        return {
            "score": round(self._last_score, 3),
            "level_db": round(self._last_db, 1),
            "noise_db": round(self._machine.noise.mean, 1),
            "noise_spread_db": round(self._machine.noise.spread, 1),
            "peak_db": round(self._machine.peak_db, 1),
            "spoken_ms": self._machine.spoken_ms,
            "silence_ms": self._machine.silence_ms,
            "hang_ms": hang_ms,
            "hang_reason": reason,
            "words_sound": str(self._hang_over.sounds),
        }

    def _told_by_provider(self) -> list[Signal]:
        signals: list[Signal] = []
        for began in self._boundaries:
            if began and not self._machine.open:
                self._machine.start(self._last_db)
                signals.append(self._begin())
            elif not began and self._machine.open:
                self._machine.close()
                signals.append(self._end("provider", self._machine.silence_ms, "provider"))
        self._boundaries.clear()
        return signals

    def _after_silence(self) -> list[Signal]:
        hang_ms, reason = self._hang_over.chosen()
        silence_ms = self._machine.silence_ms
        over = silence_ms >= hang_ms and not self._machine.stirs
        if not over and not self._machine.too_long:
            if silence_ms < PAUSE_MS or self._paused or not self._machine.is_turn:
                return []
            self._paused = True
            return [Paused(self._at_ms)]
        why = "silence" if silence_ms >= hang_ms else "too_long"
        # A short "yes" is a turn once the recogniser has heard a word in it.
        if self._machine.close() or self._hang_over.has_words:
            net = self._used.mode is Mode.PROVIDER and not self._used.fallback
            return [self._end(why, hang_ms, "safety_net" if net else reason)]
        self._hang_over.ended(self._at_ms, was_turn=False)
        return [Dropped(self._at_ms)]

    def _begin(self) -> Began:
        self._paused = False
        self._hang_over.began(self._at_ms)
        return Began(self._at_ms, self._machine.spoken_ms)

    def _end(self, why: str, hang_ms: int, reason: str) -> Ended:
        self._ended_at_ms = self._at_ms
        self._hang_over.ended(self._at_ms, was_turn=True)
        return Ended(self._at_ms, self._at_ms - self._machine.silence_ms, why, hang_ms, reason)
