"""The keys of a phone and the beep of an answering machine, as sound: made here, and heard here."""

from typing import Final

import numpy as np

from carrierbox.line.g711 import FRAME, RATE, SILENCE, decode, encode

ROWS: Final = (697, 770, 852, 941)
COLUMNS: Final = (1209, 1336, 1477, 1633)
KEYS: Final = ("123A", "456B", "789C", "*0#D")
PAIRS: Final = {key: (ROWS[r], COLUMNS[c]) for r, row in enumerate(KEYS) for c, key in enumerate(row)}
KEY_MS: Final = 160
GAP_MS: Final = 80
PAUSES: Final = {"w": 500, "W": 1000, "p": 500}

_GRID = np.exp(-2j * np.pi * np.outer(np.arange(FRAME), ROWS + COLUMNS) / RATE)


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

    def hear(self, frame: bytes) -> str | None:
        key = _key_in(frame)
        confirmed = key if key is not None and key == self._candidate and key != self._held else None
        if key is None and self._candidate is None:
            self._held = None
        self._candidate = key
        self._held = confirmed or self._held
        return confirmed


def _key_in(frame: bytes) -> str | None:
    """Two lone frequencies, one of each group, of like strength, that hold nearly all of the frame's energy."""
    samples = decode(frame).astype(np.float64)
    energy = float(samples @ samples)
    if energy < FRAME * 400.0**2:
        return None
    strength = np.abs(samples @ _GRID) ** 2
    row, column = int(strength[:4].argmax()), int(strength[4:].argmax())
    low, high = float(strength[row]), float(strength[4 + column])
    pure = 2 * (low + high) / FRAME > 0.75 * energy
    balanced = max(low, high) < 8 * min(low, high)
    return KEYS[row][column] if pure and balanced else None
