"""Tones to send and the spectrum of what arrived: a call works when the ear hears the tone the mouth made."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RATE = 48000
FRAME = 480
WINDOW = RATE // 4
AUDIBLE = 300.0
"""Root mean square of 16-bit samples, far above comfort noise and far below a tone."""
Samples = NDArray[np.int16]


def tone(hz: float, amplitude: float = 0.4) -> Iterator[bytes]:
    """Ten milliseconds at a time, for ever, without a click between."""
    position = 0
    while True:
        instants = (np.arange(FRAME) + position) / RATE
        position += FRAME
        yield (np.sin(2 * np.pi * hz * instants) * amplitude * 32767).astype(np.int16).tobytes()


def loudest(samples: Samples) -> tuple[float, float]:
    """The strongest frequency and the loudness."""
    signal = samples.astype(float)
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    frequency = float(np.fft.rfftfreq(len(signal), 1 / RATE)[int(np.argmax(spectrum))])
    return frequency, float(np.sqrt(np.mean(signal**2)))


def strength(samples: Samples, hz: float) -> float:
    """How strong one frequency is, with the strongest as 1: several speakers are heard at once."""
    signal = samples.astype(float)
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal))))
    frequencies = np.fft.rfftfreq(len(signal), 1 / RATE)
    near = spectrum[np.abs(frequencies - hz) < 8]
    return float(near.max() / max(spectrum.max(), 1e-9))
