"""Voices of callers: sentences spoken by flite, a program of Debian, kept for the length of a run."""

import functools
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.int16]


@functools.lru_cache(maxsize=64)
def spoken(text: str, voice: str = "slt") -> Samples:
    """16 kHz, without the silence around it."""
    flite = shutil.which("flite")
    assert flite, "flite is missing: apt-get install flite"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            assert file.getframerate() == RATE
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    loud = np.flatnonzero(np.abs(samples) > 300)
    spoken: Samples = samples[loud[0] : loud[-1] + 1]
    return spoken


def cough(milliseconds: int = 300) -> Samples:
    """A burst of noise that rises fast and falls slowly."""
    length = RATE * milliseconds // 1_000
    shape = np.minimum(1, np.arange(length) / (RATE * 0.02)) * np.exp(-np.arange(length) / (length / 3))
    return np.asarray((np.random.default_rng(7).normal(0, 9_000, length) * shape).clip(-32_000, 32_000), np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds), np.int16)
