"""How much a frame looks like speech, with numpy alone: what stands out of each band's noise, and how voiced it is."""

import itertools
from typing import Final

import numpy as np
from numpy.typing import NDArray

_RATE: Final = 16_000
_SIZE: Final = 512  # 20 ms and the 12 ms before them
_BEFORE: Final = _SIZE - 320
_EDGES_HZ: Final = (120, 300, 600, 1_100, 1_900, 3_000, 3_900)
_BANDS: Final = len(_EDGES_HZ) - 1
_RISE_DB: Final = 0.06  # 3 dB/s
_FALL_DB: Final = 2.0
_HISTORY: Final = 50  # 1 s
_STEADY_DB: Final = 14.0
_LOUDEST_FLOOR_DB: Final = -25.0
_PITCH: Final = slice(_RATE // 400, _RATE // 70 + 2)

Bands = NDArray[np.float64]


def _band_weights() -> NDArray[np.float32]:
    hertz = np.fft.rfftfreq(_SIZE, 1 / _RATE)
    within = [(hertz >= low) & (hertz < high) for low, high in itertools.pairwise(_EDGES_HZ)]
    return np.stack([band / band.sum() for band in within]).astype(np.float32)


_WEIGHTS = _band_weights()
_WINDOW = np.hanning(_SIZE).astype(np.float32)


class PcmScore:
    """0 to 1. Each band's noise is followed: down at once, up slowly, and quickly where the whole line is steady."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] = np.zeros(_BEFORE, np.float32)
        self._noise: Bands | None = None
        self._history: Bands = np.zeros((_HISTORY, _BANDS))
        self._frames = 0
        self._voicing = 0.0

    def push(self, frame: bytes) -> float:
        samples = np.frombuffer(frame, np.int16).astype(np.float32) * np.float32(1 / 32768)
        spectrum = np.fft.rfft(np.concatenate([self._before, samples]) * _WINDOW)
        self._before = samples[-_BEFORE:]
        power = spectrum.real**2 + spectrum.imag**2
        level = 10 * np.log10(_WEIGHTS @ power + 1e-7)
        over_noise = level - self._follow(level)
        stands_out = float((np.clip(over_noise - 3, 0, 15) / 15).mean())
        self._voicing = 0.6 * self._voicing + 0.4 * (_voiced(power) if stands_out > 0.12 else 0.0)
        return min(1.0, max(0.0, 1.15 * stands_out + 0.55 * max(self._voicing - 0.25, 0) - 0.08))

    def _follow(self, level: Bands) -> Bands:
        self._history[self._frames % _HISTORY] = level
        self._frames += 1
        if self._noise is None:
            self._noise = np.minimum(level, _LOUDEST_FLOOR_DB)
        rise = np.full(_BANDS, _RISE_DB)
        if self._frames >= _HISTORY and self._frames % 5 == 0:
            steady = np.ptp(self._history, axis=0) < _STEADY_DB
            if steady.sum() >= _BANDS - 1:
                catching_up = (self._history.mean(0) - 1 - self._noise) * 0.5
                rise = np.where(steady, np.maximum(_RISE_DB, catching_up), rise)
        down = self._noise + np.maximum(level - self._noise, -_FALL_DB)
        up = np.minimum(level, self._noise + rise)
        self._noise = np.where(level < self._noise, down, up)
        return self._noise


def _voiced(power: Bands) -> float:
    """The highest peak of the autocorrelation where a voice's pitch lies, as a share of the whole."""
    correlation = np.fft.irfft(power)
    return float(correlation[_PITCH].max() / (correlation[0] + 1e-9))
