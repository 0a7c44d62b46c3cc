"""Keys of a phone: their tones, their numbers, and telling one press from two reports of it. Pure."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_LAYOUT = "123A456B789C*0#D"
_TONE_MS, _PAUSE_MS = 120, 80
_LEVEL = 0.2
_SAME_PRESS_S = 0.08
# The events of RFC 4733.
_CODES = "0123456789*#ABCD"
MOST_WAITING = 32


def code_of(digit: str) -> int:
    return _CODES.index(digit)


def tone_of(digit: str, rate: int) -> Samples:
    """The key's two tones and the pause behind them."""
    row, column = divmod(_LAYOUT.index(digit), 4)
    at = np.arange(rate * _TONE_MS // 1000) / rate
    both = np.sin(2 * np.pi * _ROWS[row] * at) + np.sin(2 * np.pi * _COLUMNS[column] * at)
    sound = (both * _LEVEL * 32_767).astype(np.int16)
    return np.concatenate([sound, np.zeros(rate * _PAUSE_MS // 1000, np.int16)])


class Presses:
    """Some carriers report a key twice, once from its tone and once from its event."""

    def __init__(self) -> None:
        self._last = ("", 0.0)

    def is_new(self, digit: str, now: float) -> bool:
        before, at = self._last
        self._last = (digit, now)
        return digit != before or now - at >= _SAME_PRESS_S


class TonesWaiting:
    """Keys to be pressed in the audio, as frames. More than fit are not pressed."""

    def __init__(self, rate: int, frame: int) -> None:
        self._rate = rate
        self._frame = frame
        self._frames: deque[Samples] = deque()

    def press(self, digits: str) -> int:
        """How many of them will be heard."""
        pressed = 0
        for digit in digits:
            tone = tone_of(digit, self._rate)
            if len(self._frames) * self._frame + len(tone) > MOST_WAITING * len(tone):
                break
            self._frames.extend(tone[at : at + self._frame] for at in range(0, len(tone), self._frame))
            pressed += 1
        return pressed

    def take(self) -> Samples | None:
        return self._frames.popleft() if self._frames else None
