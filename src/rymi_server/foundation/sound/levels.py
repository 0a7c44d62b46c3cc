"""How loud a piece of 16-bit sound is."""

import math
from typing import Final

import numpy as np

SILENT_DB: Final = -100.0
_FULL_SCALE: Final = 32_768.0


def level_db(pcm: bytes) -> float:
    """Root mean square in dB below full scale; `SILENT_DB` for silence and for nothing."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float32)
    power = float(samples @ samples) / (max(1, len(samples)) * _FULL_SCALE**2)
    return max(SILENT_DB, 10 * math.log10(power)) if power > 0 else SILENT_DB


def peak(pcm: bytes) -> float:
    """The loudest sample: 0 to 1."""
    samples = np.frombuffer(pcm, np.int16).astype(np.int32)
    return float(np.abs(samples).max()) / _FULL_SCALE if len(samples) else 0.0
