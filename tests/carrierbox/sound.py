"""Makes sounds for the tests, and finds out what is in others."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

from carrierbox.line import g711

Samples = NDArray[np.int16]


def tone(hertz: float, seconds: float, rate: int = 8000, level: float = 0.4) -> Samples:
    at = np.arange(int(seconds * rate)) / rate
    return (np.sin(2 * np.pi * hertz * at) * level * 32767).astype(np.int16)


def mulaw_tone(hertz: float, seconds: float) -> bytes:
    return g711.encode(tone(hertz, seconds))


def loudest_hertz(samples: Samples, rate: int = 8000) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * rate / len(samples)


def loud_ms(samples: Samples, rate: int = 8000, level: float = 500.0) -> list[int]:
    """The milliseconds, in frames of 20, in which there is sound."""
    frames = samples[: len(samples) // (rate // 50) * (rate // 50)].reshape(-1, rate // 50)
    return [int(i) * 20 for i in np.flatnonzero(np.abs(frames.astype(float)).mean(axis=1) > level)]


def read_wav(data: bytes) -> Samples:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, file.getnchannels())
