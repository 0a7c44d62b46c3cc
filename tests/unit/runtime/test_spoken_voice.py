"""How an engine's sound becomes the session's."""

import asyncio
from collections.abc import AsyncGenerator

from tests.agent.patience import eventually
from tests.roomlet.waiting import stays

from rymi_server.runtime.session.spoken_voice import SpokenVoice
from rymi_server.runtime.speaking.player import RATE
from rymi_server.speech_engines.promises import Abilities

_SECONDS = 10
_PIECE = bytes(RATE // 10 * 2)


class AtOnce:
    """A voice that has made ten seconds of sound before anybody has heard a tenth of one."""

    abilities = Abilities(name="tests:at-once")
    sample_rate = RATE

    def __init__(self) -> None:
        self.taken = 0

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        for _ in range(_SECONDS * 10):
            self.taken += 1
            yield _PIECE

    async def aclose(self) -> None:
        """Nothing to close."""


class TestASentence:
    async def test_is_passed_on_two_seconds_ahead_of_its_playing_and_no_further(self) -> None:
        clock = [100.0]
        voice = AtOnce()
        stream = SpokenVoice(voice, now=lambda: clock[0]).synthesize("A long story.")
        heard = 0.0

        async def hear() -> None:
            nonlocal heard
            async for sound in stream:
                heard += sound.frame.duration

        hearing = asyncio.create_task(hear())
        try:
            await eventually("two seconds are passed on", lambda: voice.taken >= 20)
            await stays("no more are", lambda: voice.taken <= 23, 0.05)
            clock[0] += _SECONDS
            await hearing
        finally:
            hearing.cancel()
            await stream.aclose()
        assert voice.taken == _SECONDS * 10
        assert heard >= _SECONDS
