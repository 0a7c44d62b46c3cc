"""What was heard and what was said at the phone, kept as mu-law from the moment of the answer, and read back as WAV."""

import io
import wave

import numpy as np

from carrierbox.line.g711 import RATE, SILENCE, Samples, decode, encode
from carrierbox.line.resample import Resampler

MAX_WAV_RATE = 192_000


class BadWav(Exception):
    """The bytes are not a WAV that can be played down a phone line."""


class Recording:
    """Grows frame by frame up to its limit; what comes later is not kept."""

    def __init__(self) -> None:
        self._limit = 0
        self._sound = bytearray()

    def start(self, limit_seconds: int) -> None:
        self._limit = limit_seconds * RATE

    def add(self, frame: bytes | None) -> None:
        if len(self._sound) < self._limit:
            self._sound += frame or SILENCE

    @property
    def samples(self) -> Samples:
        return decode(bytes(self._sound))

    def __len__(self) -> int:
        return len(self._sound)


def write_wav(*channels: Samples) -> bytes:
    """One channel or several side by side, 16-bit at 8 kHz; the shorter ones are filled up with silence."""
    length = max(len(channel) for channel in channels)
    even = [np.pad(channel, (0, length - len(channel))) for channel in channels]
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.stack(even, axis=1).astype("<i2").tobytes())
    return out.getvalue()


def read_wav(data: bytes) -> bytes:
    """A WAV of 16-bit samples as a phone would carry it: mixed to one channel, 8 kHz, mu-law."""
    try:
        with wave.open(io.BytesIO(data), "rb") as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise BadWav("This is not a WAV file.") from error
    if width != 2 or not 0 < rate <= MAX_WAV_RATE or len(raw) % (2 * channels):
        raise BadWav(
            f"A WAV must hold 16-bit samples of at most {MAX_WAV_RATE} Hz; this has {8 * width} bits at {rate} Hz."
        )
    mixed = np.frombuffer(raw, dtype="<i2").reshape(-1, channels).mean(axis=1).astype(np.int16)
    return encode(Resampler(rate, RATE).push(mixed)) if len(mixed) else b""
