"""How loud a line is when nobody speaks on it: learnt from the levels of its frames, and what stands out of it."""

from collections import deque
from typing import Final

QUIETEST_DB: Final = -90.0
_FIRST_FRAMES: Final = 12  # 240 ms, in which nobody has spoken yet: learnt at once
_LOUDEST_AT_FIRST_DB: Final = -35.0
_STEADY_FRAMES: Final = 75  # 1.5 s
_STEADY_SPREAD_DB: Final = 10.0
_LONG_FRAMES: Final = 200  # 4 s
_LONG_TENTH: Final = 20


class NoiseModel:
    """Mean and spread. It follows down at once and up slowly; what never varies is noise, whatever is going on."""

    def __init__(self) -> None:
        self.mean = -55.0
        self.spread = 1.5
        self._frames = 0
        self._lately: deque[float] = deque(maxlen=_STEADY_FRAMES)
        self._longer: deque[float] = deque(maxlen=_LONG_FRAMES)

    def push(self, db: float, in_turn: bool) -> None:
        self._frames += 1
        self._lately.append(db)
        self._longer.append(db)
        if self._frames <= _FIRST_FRAMES:
            self.mean = db if self._frames == 1 else min(self.mean + 1, 0.7 * self.mean + 0.3 * db)
            self.mean = min(self.mean, _LOUDEST_AT_FIRST_DB)
            return
        if db < self.mean:
            self.mean += 0.10 * (db - self.mean)
        if not in_turn:
            self._learn(db)
        if self._frames % 10 == 0 and len(self._lately) == _STEADY_FRAMES:
            self._escape(in_turn)

    def stands_out(self, db: float, at_least: float, spreads: float) -> float:
        """What a frame must exceed to be `at_least` dB and `spreads` spreads over the noise, and over `db` anyway."""
        return max(self.mean + max(at_least, spreads * self.spread), db)

    def _learn(self, db: float) -> None:
        pace = 0.02 if db < self.mean + 3 * self.spread + 6 else 0.004
        self.mean += pace * (db - self.mean)
        self.spread += 0.02 * (min(abs(db - self.mean), 6.0) * 1.25 - self.spread)
        self.spread = max(1.0, min(self.spread, 4.0))

    def _escape(self, in_turn: bool) -> None:
        lowest, loudest = min(self._lately), max(self._lately)
        if loudest - lowest < _STEADY_SPREAD_DB and lowest > self.mean:
            # 1.5 s without the ups and downs of speech: a fan, traffic, a tone.
            self.mean = (lowest + loudest) / 2 - 1
        if in_turn and self._frames % 50 == 0 and len(self._longer) == _LONG_FRAMES:
            # Nobody speaks for 4 s without a gap, so the quietest tenth of them is noise.
            tenth = sorted(self._longer)[_LONG_TENTH]
            if tenth > self.mean:
                self.mean += 0.5 * (tenth - self.mean)
