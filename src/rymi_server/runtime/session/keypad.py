"""Keys that people press one by one, put together to what they enter."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_ENTERED_AFTER_S: Final = 2.0
_MOST_DIGITS: Final = 64
_ENTER: Final = "#"
_KEYS: Final = frozenset("0123456789*#ABCD")


@dataclass(slots=True)
class Keypad:
    """`entered` is called with somebody's keys once they press `#`, or no more."""

    entered: Callable[[str, str], None]
    _digits: dict[str, str] = field(default_factory=dict)
    _timers: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    def press(self, identity: str, digit: str) -> None:
        if digit not in _KEYS:
            return
        if timer := self._timers.pop(identity, None):
            timer.cancel()
        digits = self._digits[identity] = self._digits.get(identity, "") + digit
        if digit == _ENTER or len(digits) >= _MOST_DIGITS:
            self._enter(identity)
        else:
            self._timers[identity] = asyncio.get_running_loop().call_later(_ENTERED_AFTER_S, self._enter, identity)

    def _enter(self, identity: str) -> None:
        self._timers.pop(identity, None)
        self.entered(identity, self._digits.pop(identity))
