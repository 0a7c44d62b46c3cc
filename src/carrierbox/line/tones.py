"""The keys of a phone and the beep of an answering machine, as sound: made here, and heard here."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from carrierbox.line.g711 import FRAME, RATE, SILENCE, encode

ROWS: Final = (697, 770, 852, 941)
COLUMNS: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
PAIRS: Final = {key: (ROWS[r], COLUMNS[c]) for r, row in enumerate(KEYS) for c, key in enumerate(row)}
KEY_MS: Final = 160
GAP_MS: Final = 80
PAUSES: Final = {"w": 500, "W": 1000, "p": 500}

QUIETEST_KEY: Final = 400.0

_ANGLES = 2 * np.pi * np.outer(np.arange(FRAME), ROWS + COLUMNS) / RATE
_GRID = np.hstack([np.cos(_ANGLES), np.sin(_ANGLES)]).astype(np.float32)


def tone(frequencies: tuple[float, ...], ms: int, level: float = 0.25) -> bytes:
    at = np.arange(RATE * ms // 1000) / RATE
    wave = sum(np.sin(2 * np.pi * frequency * at) for frequency in frequencies)
    return encode((np.asarray(wave) * level * 32767).astype(np.int16))


def keys(digits: str) -> bytes:
    """The sound of these keys pressed one after the other. `w`, `W` and `p` are the carriers' signs for a pause."""
    sound = bytearray()
    for digit in digits:
        if digit in PAIRS:
            sound += tone(PAIRS[digit], KEY_MS) + silence(GAP_MS)
        else:
            sound += silence(PAUSES[digit])
    return bytes(sound)


def beep() -> bytes:
    return tone((1000.0,), 600, level=0.4)


def silence(ms: int) -> bytes:
    return SILENCE[:1] * (RATE * ms // 1000)


class KeyEar:
    """Hears which keys are pressed in passing audio. A key counts once, however long it is held."""

    def __init__(self) -> None:
        self._candidate: str | None = None
        self._held: str | None = None

    def hear(self, samples: NDArray[np.float32]) -> str | None:
        key = _key_in(samples)
        confirmed = key if key is not None and key == self._candidate and key != self._held else None
        if key is None and self._candidate is None:
            self._held = None
        self._candidate = key
        self._held = confirmed or self._held
        return confirmed


def _key_in(samples: NDArray[np.float32]) -> str | None:
    """Two lone frequencies, one of each group, of like strength, that hold nearly all of the frame's energy."""
    energy = float(samples @ samples)
    if energy < FRAME * QUIETEST_KEY**2:
        return None
    waves = samples @ _GRID
    strength = (waves[:8] ** 2 + waves[8:] ** 2).tolist()
    row, column = max(range(4), key=strength.__getitem__), max(range(4, 8), key=strength.__getitem__) - 4
    low, high = strength[row], strength[4 + column]
    pure = 2 * (low + high) / FRAME > 0.75 * energy
    balanced = max(low, high) < 8 * min(low, high)
    return KEYS[row][column] if pure and balanced else None
