"""Mu-law, the telephone network's own audio: one byte a sample, 8,000 samples a second, 160 to a frame of 20 ms."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 8000
FRAME_MS: Final = 20
FRAME: Final = RATE * FRAME_MS // 1000
SILENCE: Final = b"\xff" * FRAME

Samples = NDArray[np.int16]


def _decoding_table() -> Samples:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)


def _encoding_table() -> NDArray[np.uint8]:
    """Codes of all 65,536 samples, indexed by the sample's unsigned 16-bit pattern."""
    sample = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32) >> 2
    mask = np.where(sample < 0, 0x7F, 0xFF)
    biased = np.minimum(np.abs(sample), 8159) + 0x21
    segment = np.searchsorted([0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF, 0xFFF, 0x1FFF], biased)
    code = np.where(segment >= 8, 0x7F, (segment << 4) | ((biased >> (segment + 1)) & 0x0F))
    return (code ^ mask).astype(np.uint8)


_DECODED = _decoding_table()
_ENCODED = _encoding_table()


def decode(code: bytes) -> Samples:
    return _DECODED[np.frombuffer(code, dtype=np.uint8)]


def encode(samples: Samples) -> bytes:
    return _ENCODED[samples.view(np.uint16)].tobytes()
