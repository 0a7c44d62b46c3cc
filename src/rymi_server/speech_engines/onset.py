"""Where speech may have begun in a stream, so that no recogniser hears silence. It says so rather too often."""

from collections import deque
from typing import Final

from rymi_server.foundation.sound.levels import level_db
from rymi_server.speech_engines.promises import FRAME_MS

_BEFORE_MS: Final = 400
_KEPT_MS: Final = 2_000
_OVER_NOISE_DB: Final = 5.0
_QUIETEST_DB: Final = -62.0
_RISE_DB: Final = 0.06
_LOUD_OF: Final = (3, 8)
# Nothing louder than the noise for so long: what began was no speech.
_GIVEN_UP_AFTER_MS: Final = 6_000


class Onset:
    """Keeps the last two seconds. `push` returns the frames to be recognised now, which are none while it is quiet."""

    def __init__(self) -> None:
        self._kept: deque[bytes] = deque(maxlen=_KEPT_MS // FRAME_MS)
        self._loud: deque[bool] = deque(maxlen=_LOUD_OF[1])
        self._noise_db = -60.0
        self._frames = 0
        self._quiet_ms = 0
        self.open = False

    def push(self, frame: bytes) -> list[bytes]:
        loud = self._is_loud(level_db(frame))
        if self.open:
            self._quiet_ms = 0 if loud else self._quiet_ms + FRAME_MS
            return [frame]
        self._kept.append(frame)
        self._loud.append(loud)
        if sum(self._loud) < _LOUD_OF[0]:
            return []
        return self._begin(_BEFORE_MS + len(self._loud) * FRAME_MS)

    @property
    def given_up(self) -> bool:
        return self.open and self._quiet_ms >= _GIVEN_UP_AFTER_MS

    def finish(self) -> list[bytes]:
        """Somebody says that there was speech: what is kept, where none was noticed. The next frame begins anew."""
        frames = [] if self.open else self._begin(_KEPT_MS)
        self.reset()
        return frames

    def reset(self) -> None:
        self.open = False
        self._quiet_ms = 0
        self._kept.clear()
        self._loud.clear()

    def _begin(self, last_ms: int) -> list[bytes]:
        self.open = True
        self._quiet_ms = 0
        frames = list(self._kept)[-(last_ms // FRAME_MS) :]
        self._kept.clear()
        return frames

    def _is_loud(self, db: float) -> bool:
        self._frames += 1
        if self._frames == 1 or db < self._noise_db:
            self._noise_db = (
                max(_QUIETEST_DB, db) if self._frames == 1 else self._noise_db + 0.3 * (db - self._noise_db)
            )
        else:
            self._noise_db = min(db, self._noise_db + _RISE_DB)
        return db > max(self._noise_db + _OVER_NOISE_DB, _QUIETEST_DB)
