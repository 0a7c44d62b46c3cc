"""A bad line: what it loses, delays and adds. It decides frame by frame, from a seed: a bad call can be had again."""

import random
from collections import deque
from dataclasses import dataclass

import numpy as np

from carrierbox.line.g711 import FRAME, FRAME_MS, RATE, SILENCE, decode, encode

STALL_CHANCE = 0.05


@dataclass(frozen=True)
class Condition:
    """`loss` is a share of frames, `jitter_ms` the longest hold-up, `noise_db` hiss below full scale."""

    loss: float = 0.0
    jitter_ms: int = 0
    noise_db: float | None = None


PERFECT = Condition()


@dataclass(frozen=True)
class Frame:
    """20 ms of the phone's sound and when it was made, counted in frames. `None` is a frame that never came."""

    number: int
    sound: bytes | None


class Line:
    """Carries frames one way, and never out of order: what is held up arrives late, all at once."""

    def __init__(self, condition: Condition, seed: int) -> None:
        self._condition = condition
        self._dice = random.Random(seed)  # noqa: S311 - Dice for a bad line, not for a secret.
        self._noise = _hiss(condition.noise_db, seed)
        self._held: deque[Frame] = deque()
        self._stalled = 0

    def carry(self, frame: Frame) -> list[Frame]:
        self._held.append(Frame(frame.number, self.mar(frame.sound)))
        if self._stalled:
            self._stalled -= 1
        elif self._condition.jitter_ms >= FRAME_MS and self._dice.random() < STALL_CHANCE:
            self._stalled = self._dice.randint(1, self._condition.jitter_ms // FRAME_MS)
        if self._stalled:
            return []
        arrived = list(self._held)
        self._held.clear()
        return arrived

    def mar(self, sound: bytes | None) -> bytes | None:
        """The same 20 ms with the line's hiss in it, or nothing if the line lost them."""
        if sound is None or self._dice.random() < self._condition.loss:
            return None
        if self._noise is None:
            return sound
        start = self._dice.randrange(len(self._noise) - FRAME)
        mixed = decode(sound).astype(np.int32) + self._noise[start : start + FRAME]
        return encode(np.clip(mixed, -32768, 32767).astype(np.int16))

    def mar_heard(self, sound: bytes) -> bytes:
        """Towards the phone there is no gap to see: a lost frame is heard as silence. The hiss is the phone's own."""
        return SILENCE if self._dice.random() < self._condition.loss else sound


def _hiss(level_db: float | None, seed: int) -> np.ndarray[tuple[int], np.dtype[np.int32]] | None:
    if level_db is None:
        return None
    spread = 32767 * 10 ** (level_db / 20)
    return np.random.default_rng(seed).normal(0, spread, RATE).astype(np.int32)
