"""Voices of callers: sentences that flite has spoken, kept in `sentences`, so that a machine without it has them, too.

A new sentence is spoken by flite (`apt-get install flite`) the first time it is asked for, and its file is committed.
"""

import functools
import os
import re
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.int16]

_KEPT = Path(__file__).parent / "sentences"


@functools.lru_cache(maxsize=64)
def spoken(text: str, voice: str = "slt") -> Samples:
    """16 kHz, without the silence around it."""
    file = _KEPT / f"{re.sub('[^a-z0-9]+', '-', text.lower()).strip('-')}.{voice}.wav"
    if not file.exists():
        _keep(_by_flite(text, voice), file)
    return _read(file)


def _by_flite(text: str, voice: str) -> Samples:
    flite = shutil.which("flite")
    assert flite, f"Nobody has spoken {text!r} yet: apt-get install flite, and commit what it says."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "voice.wav"
        subprocess.run([flite, "-voice", voice, "-t", text, "-o", str(path)], check=True)
        samples = _read(path)
    loud = np.flatnonzero(np.abs(samples) > 300)
    return samples[loud[0] : loud[-1] + 1]


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _keep(samples: Samples, path: Path) -> None:
    """Under its name at once, because several tests may look for it."""
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    with wave.open(str(part), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    part.replace(path)


def cough(milliseconds: int = 300) -> Samples:
    """A burst of noise that rises fast and falls slowly."""
    length = RATE * milliseconds // 1_000
    shape = np.minimum(1, np.arange(length) / (RATE * 0.02)) * np.exp(-np.arange(length) / (length / 3))
    return np.asarray((np.random.default_rng(7).normal(0, 9_000, length) * shape).clip(-32_000, 32_000), np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(RATE * seconds), np.int16)
