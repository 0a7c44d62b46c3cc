"""G.711, the telephone network's own audio: one byte a sample. Bit-exact with the tables of the recommendation."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8_000

Codes = NDArray[np.int32]


class Law:
    """Companding by table. Tables are made when they are first needed."""

    def __init__(self, name: str, silence: bytes, encode: Callable[[Codes], Codes], decode: Callable[[Codes], Codes]):
        self.name = name
        # One sample of it.
        self.silence = silence
        self._to_code = encode
        self._to_sample = decode

    def encode(self, pcm: bytes) -> bytes:
        return self._codes[np.frombuffer(pcm, np.uint16)].tobytes()

    def decode(self, code: bytes) -> bytes:
        return self._samples[np.frombuffer(code, np.uint8)].tobytes()

    @cached_property
    def _codes(self) -> NDArray[np.uint8]:
        """Indexed by a sample's unsigned 16-bit pattern."""
        samples = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int32)
        return self._to_code(samples).astype(np.uint8)

    @cached_property
    def _samples(self) -> NDArray[np.int16]:
        return self._to_sample(np.arange(256, dtype=np.int32)).astype(np.int16)


def _mu_law_code(sample: Codes) -> Codes:
    value = sample >> 2
    mask = np.where(value < 0, 0x7F, 0xFF)
    biased = np.minimum(np.abs(value), 8_159) + 0x21
    segment = np.searchsorted([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF], biased)
    code = np.where(segment >= 8, 0x7F, (segment << 4) | ((biased >> (segment + 1)) & 0x0F))
    return np.asarray(code ^ mask, np.int32)


def _mu_law_sample(code: Codes) -> Codes:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84)


def _a_law_code(sample: Codes) -> Codes:
    value = sample >> 3
    mask = np.where(value < 0, 0x55, 0xD5)
    value = np.where(value < 0, -value - 1, value)
    segment = np.searchsorted([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF], value)
    step = np.maximum(segment, 1)
    code = np.where(segment >= 8, 0x7F, (segment << 4) | ((value >> step) & 0x0F))
    return np.asarray(code ^ mask, np.int32)


def _a_law_sample(code: Codes) -> Codes:
    code = code ^ 0x55
    magnitude = (code & 0x0F) << 4
    segment = (code & 0x70) >> 4
    high = (magnitude + 0x108) << np.maximum(segment - 1, 0)
    magnitude = np.where(segment == 0, magnitude + 8, high)
    return np.where(code & 0x80, magnitude, -magnitude)


MU_LAW: Final = Law("mu-law", b"\xff", _mu_law_code, _mu_law_sample)
A_LAW: Final = Law("a-law", b"\xd5", _a_law_code, _a_law_sample)
