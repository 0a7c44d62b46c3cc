"""The sound that a caller makes: lines in a synthetic voice, or a microphone, always as frames of 20 ms."""

import asyncio
import importlib
from collections import deque
from typing import Any, Protocol

import numpy as np

from rymi_server.entrypoints.calling.account import CannotCall
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.speech_engines.espeak import EspeakVoice, Manner, espeak_worker

RATE = 24_000
FRAME_SAMPLES = RATE // 50
_FRAME_BYTES = FRAME_SAMPLES * 2
_NOISE = 6
# A little slower and higher than espeak-ng speaks by itself: offline engines understand it better.
_MANNER = Manner(words_a_minute=140, pitch=55)
_NO_SOUNDDEVICE = "--mic needs the sounddevice package: pip install sounddevice. Or speak by text: --say 'Hello'."
_NO_PORTAUDIO = "--mic needs PortAudio: apt-get install libportaudio2. Or speak by text: --say 'Hello'."


class Mouth(Protocol):
    """Where a caller's sound comes from."""

    def frame(self) -> bytes:
        """The next 20 ms; silence where there is nothing else. Never blocks."""
        ...


class Lines:
    """Speaks what it is given, over the faint noise that every room has."""

    def __init__(self, voice: str) -> None:
        self._worker = espeak_worker()
        self._voice = EspeakVoice(self._worker, voice, _MANNER)
        self._frames: deque[bytes] = deque()
        self._silent = asyncio.Event()
        self._silent.set()
        self._noise = np.random.default_rng(7)

    async def say(self, text: str) -> None:
        """Returns when the last of it has been handed on."""
        resampler = PolyResampler(self._voice.sample_rate, RATE)
        sound = b"".join([resampler.push_bytes(piece) async for piece in self._voice.speak(text)])
        sound += resampler.flush().tobytes()
        sound += bytes(-len(sound) % _FRAME_BYTES)
        self._silent.clear()
        self._frames.extend(sound[at : at + _FRAME_BYTES] for at in range(0, len(sound), _FRAME_BYTES))
        await self._silent.wait()

    def frame(self) -> bytes:
        if self._frames:
            return self._frames.popleft()
        self._silent.set()
        return self._noise.integers(-_NOISE, _NOISE + 1, FRAME_SAMPLES, dtype=np.int16).tobytes()

    async def aclose(self) -> None:
        await self._voice.aclose()
        await self._worker.aclose()


class Devices:
    """The microphone and the loudspeaker of this machine."""

    def __init__(self) -> None:
        self._heard: deque[bytes] = deque(maxlen=50)
        self._to_play: deque[bytes] = deque(maxlen=100)
        try:
            sounddevice: Any = importlib.import_module("sounddevice")
        except ImportError as error:
            raise CannotCall(_NO_SOUNDDEVICE) from error
        except OSError as error:  # The package looks for the library that it is made for.
            raise CannotCall(_NO_PORTAUDIO) from error
        shape = {"samplerate": RATE, "channels": 1, "dtype": "int16", "blocksize": FRAME_SAMPLES}
        try:
            self._stream = sounddevice.RawStream(callback=self._exchange, **shape)
            self._stream.start()
        except sounddevice.PortAudioError as error:
            raise CannotCall(f"No microphone or loudspeaker can be used: {error}. --say speaks by text.") from error

    def frame(self) -> bytes:
        return self._heard.popleft() if self._heard else bytes(_FRAME_BYTES)

    def play(self, sound: bytes) -> None:
        self._to_play.append(sound)

    def close(self) -> None:
        self._stream.close()

    def _exchange(self, recorded: Any, played: Any, *_: Any) -> None:
        """Called by the sound card's thread."""
        self._heard.append(bytes(recorded))
        sound = self._to_play.popleft() if self._to_play else b""
        played[:] = sound[: len(played)].ljust(len(played), b"\0")
