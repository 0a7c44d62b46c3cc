"""The carrier's encoding to samples and back."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rymi_server.foundation.sound.g711 import MU_LAW
from rymi_server.telephony.carriers.media import Encoding, Format

Samples = NDArray[np.int16]


class Voice(Protocol):
    """One format, both ways."""

    @property
    def silence(self) -> bytes:
        """A frame of it."""
        ...

    def samples(self, audio: bytes) -> Samples:
        """Of any length; half a sample at the end is left out."""
        ...

    def frame(self, samples: Samples) -> bytes:
        """One frame exactly."""
        ...


def voice_of(form: Format) -> Voice:
    return _MuLaw(form) if form.encoding is Encoding.MULAW else _Linear(form)


class _MuLaw:
    def __init__(self, form: Format) -> None:
        self._bytes = form.frame_bytes
        self.silence = MU_LAW.silence * form.frame_bytes

    def samples(self, audio: bytes) -> Samples:
        return np.frombuffer(MU_LAW.decode(audio), np.int16)

    def frame(self, samples: Samples) -> bytes:
        return MU_LAW.encode(samples.tobytes())[: self._bytes].ljust(self._bytes, MU_LAW.silence)


class _Linear:
    def __init__(self, form: Format) -> None:
        self._bytes = form.frame_bytes
        self.silence = bytes(form.frame_bytes)

    def samples(self, audio: bytes) -> Samples:
        return np.frombuffer(audio[: len(audio) // 2 * 2], "<i2").astype(np.int16, copy=False)

    def frame(self, samples: Samples) -> bytes:
        return samples.astype("<i2", copy=False).tobytes()[: self._bytes].ljust(self._bytes, b"\0")
