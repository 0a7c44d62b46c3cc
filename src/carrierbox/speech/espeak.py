"""espeak-ng in this process. It makes whole phrases in a few milliseconds; when they are played is not decided here."""

import asyncio
import ctypes
import threading
from collections import OrderedDict
from functools import cache

import espeakng_loader
import numpy as np

from carrierbox.line.g711 import RATE, encode
from carrierbox.line.resample import Resampler
from carrierbox.speech.voices import DEFAULT_VOICE, SpeechFailed

SYNCHRONOUS = 2
UTF8 = 1
END_PAUSE = 0x1000
CHARACTER_POSITION = 1
BUFFER_MS = 60
CACHED_PHRASES = 256

_Received = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

# The library keeps its state in globals: one synthesis at a time in a process, whoever asks.
_one_at_a_time = threading.Lock()


@cache
def _load() -> tuple[ctypes.CDLL, int]:
    """The library and its sample rate. Initialised once in a process: its state is global."""
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    number, address = ctypes.c_uint, ctypes.c_void_p
    library.espeak_Synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, number, number, number, number, address, address]
    data = espeakng_loader.get_data_path().encode()
    rate = int(library.espeak_Initialize(SYNCHRONOUS, BUFFER_MS, data, 0))
    if rate <= 0:
        raise SpeechFailed("espeak-ng did not start: its voice data is missing or broken.")
    return library, rate


class Espeak:
    """Says lines as mu-law audio. Phrases that were said lately are remembered."""

    def __init__(self) -> None:
        self._library, self._rate = _load()
        self._phrases: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def say(self, text: str, voice: str = DEFAULT_VOICE) -> bytes:
        key = (text, voice)
        if key not in self._phrases:
            self._phrases[key] = await asyncio.to_thread(self._synthesise, text, voice)
            if len(self._phrases) > CACHED_PHRASES:
                self._phrases.popitem(last=False)
        self._phrases.move_to_end(key)
        return self._phrases[key]

    def _synthesise(self, text: str, voice: str) -> bytes:
        chunks: list[bytes] = []

        def receive(wave: "ctypes._Pointer[ctypes.c_short] | None", count: int, _events: object) -> int:
            if wave and count > 0:
                chunks.append(ctypes.string_at(wave, count * 2))
            return 0

        received = _Received(receive)

        with _one_at_a_time:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise SpeechFailed(f"There is no voice {voice!r}.")
            self._library.espeak_SetSynthCallback(received)
            line = text.encode() + b"\0"
            self._library.espeak_Synth(line, len(line), 0, CHARACTER_POSITION, 0, UTF8 | END_PAUSE, None, None)
        samples = np.frombuffer(b"".join(chunks), dtype=np.int16)
        return encode(Resampler(self._rate, RATE).push(samples)) if len(samples) else b""
