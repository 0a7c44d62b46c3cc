"""When speech begins and ends, from a score and a level each 20 ms. One machine for all modes.

Within a turn a frame is speech only if it is near enough to the turn's own peak: that is what ends turns where others
talk, or music plays, behind the speaker.
"""

from collections import deque
from enum import Enum
from typing import Final

from rymi_server.runtime.turn_taking.modes import Parameters
from rymi_server.runtime.turn_taking.noise import QUIETEST_DB, NoiseModel
from rymi_server.speech_engines.promises import FRAME_MS

_RELEASE_DB: Final = 4.0  # 200 dB/s, which bridges the gaps of a voice
_PEAK_RELEASE_DB: Final = 0.06  # 3 dB/s
_ALWAYS_BELOW_PEAK_DB: Final = 6.0
# A click is shorter: so many frames in a row are speech that breaks a silence.
_RUN: Final = 3
# A word may begin so softly for so many frames, after so many in which nothing was heard at all.
_SOFT: Final = 6
_HUSH: Final = 3


class Change(Enum):
    START = "start"
    # Speech went on after `broken_silence_ms` of silence.
    RESUMED = "resumed"


class Machine:
    """Fed frame by frame. It says when speech starts; `silence_ms` tells how long it has been gone; `close` ends it."""

    def __init__(self, parameters: Parameters) -> None:
        self._gate = parameters.gate
        self._max_frames = parameters.max_turn_ms // FRAME_MS
        self._needed = max(1, parameters.gate.start_ms // FRAME_MS)
        self._window: deque[bool] = deque(maxlen=max(self._needed, parameters.gate.window_ms // FRAME_MS))
        self.noise = NoiseModel()
        self.open = False
        self.peak_db = self._smooth_db = QUIETEST_DB
        self.broken_silence_ms = 0
        self._silent = self._spoken = self._run = self._age = 0
        self._hushed = self._stirred = 0

    @property
    def silence_ms(self) -> int:
        return self._silent * FRAME_MS

    @property
    def spoken_ms(self) -> int:
        return self._spoken * FRAME_MS

    @property
    def is_turn(self) -> bool:
        """Whether there was speech enough for a turn."""
        return self.spoken_ms >= self._gate.min_speech_ms

    @property
    def stirs(self) -> bool:
        """Whether a silence is just being broken, by what may be the soft beginning of a word: most begin with one."""
        return 0 < self._stirred <= _SOFT

    @property
    def too_long(self) -> bool:
        return self._age >= self._max_frames

    def push(self, score: float, db: float) -> Change | None:
        self.noise.push(db, self.open)
        self._smooth_db = max(db, self._smooth_db - _RELEASE_DB)
        return self._within(score, db) if self.open else self._outside(score, db)

    def start(self, db: float) -> None:
        """Open a turn, by our own judgement or somebody else's."""
        self.open = True
        self._spoken = sum(self._window)
        self._silent = self._run = self._age = 0
        self._hushed = self._stirred = 0
        self.peak_db = db
        self._window.clear()

    def close(self) -> bool:
        """End the turn. False where it was too short to be one."""
        self.open = False
        self._window.clear()
        return self.is_turn

    def _outside(self, score: float, db: float) -> Change | None:
        loud = self._smooth_db > self.noise.stands_out(self._gate.floor_db, self._gate.enter_db, self._gate.spreads)
        self._window.append(score >= self._gate.high and loud)
        if sum(self._window) < self._needed:
            return None
        self.start(db)
        return Change.START

    def _within(self, score: float, db: float) -> Change | None:
        self._age += 1
        self.peak_db = max(self.peak_db - _PEAK_RELEASE_DB, db)
        over_noise = self.noise.stands_out(self._gate.floor_db - 3, self._gate.leave_db, 2.0)
        self._listen_up(score >= self._gate.low and db > over_noise)
        near_peak = max(over_noise, self.peak_db - self._gate.drop_db)
        if score < self._gate.low or db <= min(near_peak, self.peak_db - _ALWAYS_BELOW_PEAK_DB):
            self._run = 0
            self._silent += 1
            return None
        self._run += 1
        if self._run < _RUN:
            self._silent += 1
            return None
        silence = self._silent - (_RUN - 1)
        self._spoken += _RUN if self._run == _RUN else 1
        self._silent = 0
        if self._run > _RUN or silence <= 0:
            return None
        self.broken_silence_ms = silence * FRAME_MS
        return Change.RESUMED

    def _listen_up(self, sounds: bool) -> None:
        """What goes on behind the speaker is never hushed, and so stirs nothing."""
        if not sounds:
            self._hushed += 1
            self._stirred = 0
        elif self._stirred or self._hushed >= _HUSH:
            self._stirred += 1
            self._hushed = 0
        else:
            self._hushed = 0
