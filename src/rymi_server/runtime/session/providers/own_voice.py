"""A voice at an address of the author's own: a line is posted, raw sound or a WAV file streams back."""

import re
from collections.abc import AsyncGenerator
from typing import Final

import aiohttp
import numpy as np

from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.foundation.sound.wav import HEADER_BYTES, NotWav, read_header
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities

SAMPLE_RATE: Final = 24_000
_FIRST_SECONDS: Final = 10.0
_RATE: Final = re.compile(r"rate=(\d{4,6})")
_SILENCE: Final = bytes(SAMPLE_RATE // 10 * 2)
_RATES: Final = range(8_000, 96_001)


class OwnVoice:
    """Keeps the promise of `Voice`. What is sent, and what is taken, stands in `docs/reference/engines.md`."""

    def __init__(self, name: str, url: str, voice: str, http: aiohttp.ClientSession) -> None:
        self._name = name
        self._url = url
        self._voice = voice
        self._http = http

    @property
    def abilities(self) -> Abilities:
        return Abilities(self._name, gives_drafts=False)

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        made = False
        wanted = {"text": text, "voice": self._voice, "sample_rate": SAMPLE_RATE}
        patience = aiohttp.ClientTimeout(total=None, connect=_FIRST_SECONDS, sock_read=_FIRST_SECONDS)
        try:
            # No redirects: the address that was checked is the one that hears what is said.
            async with self._http.post(self._url, json=wanted, timeout=patience, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise EngineFailed(self._name, f"it answered {answer.status}", retryable=answer.status >= 500)
                async for sound in _sound(answer, self._name):
                    made = True
                    yield sound
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineFailed(self._name, str(error) or type(error).__name__) from error
        if not made:
            if any(sign.isalnum() for sign in text):
                raise EngineFailed(self._name, "it has sent no sound")
            yield _SILENCE

    async def aclose(self) -> None:
        """The session is its owner's."""


async def _sound(answer: aiohttp.ClientResponse, name: str) -> AsyncGenerator[bytes, None]:
    """16 bit at our rate, in whole samples."""
    kind = answer.headers.get("Content-Type", "").lower()
    rest = b""
    rate = _rate_named(kind)
    if "wav" in kind:
        rest = await _whole_header(answer, name)
        rate, rest = _rate_in(rest, name), rest[HEADER_BYTES:]
    resampler = PolyResampler(rate, SAMPLE_RATE)
    async for piece in answer.content.iter_any():
        rest += piece
        whole = len(rest) // 2 * 2
        if whole:
            yield resampler.push(np.frombuffer(rest[:whole], np.int16)).tobytes()
        rest = rest[whole:]
    if len(rest) >= 2:
        yield resampler.push(np.frombuffer(rest[: len(rest) // 2 * 2], np.int16)).tobytes()


def _rate_named(kind: str) -> int:
    found = _RATE.search(kind)
    rate = int(found.group(1)) if found else SAMPLE_RATE
    return rate if rate in _RATES else SAMPLE_RATE


async def _whole_header(answer: aiohttp.ClientResponse, name: str) -> bytes:
    try:
        return await answer.content.readexactly(HEADER_BYTES)
    except EOFError as error:
        raise EngineFailed(name, "its sound has no whole header") from error


def _rate_in(first: bytes, name: str) -> int:
    try:
        shape, _ = read_header(first)
    except NotWav as error:
        raise EngineFailed(name, f"its sound cannot be read: {error}", retryable=False) from error
    if shape.channels != 1 or shape.sample_rate not in _RATES:
        raise EngineFailed(name, "its sound is not mono, or of an unusual rate", retryable=False)
    return shape.sample_rate
