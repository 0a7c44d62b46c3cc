"""What every engine that speaks must do, whoever makes it. A test class inherits it and gives `voice`."""

import asyncio

import pytest

from rymi_server.foundation.sound.levels import level_db
from rymi_server.speech_engines.promises import Voice


async def spoken(voice: Voice, text: str) -> bytes:
    return b"".join([piece async for piece in voice.speak(text)])


class VoicePromise:
    async def test_speaks_sound_at_its_rate(self, voice: Voice) -> None:
        sound = await spoken(voice, "Hello, how can I help you today?")
        seconds = len(sound) / 2 / voice.sample_rate
        assert len(sound) % 2 == 0
        assert 0.8 < seconds < 8
        assert level_db(sound) > -50

    @pytest.mark.parametrize("text", ["", "...", "\0", "🙂"])
    async def test_is_never_without_a_sound(self, voice: Voice, text: str) -> None:
        assert await spoken(voice, text)

    async def test_stops_when_the_iterator_is_closed(self, voice: Voice) -> None:
        speaking = voice.speak("This is a long story, and nobody wants to hear it to its end. " * 20)
        await anext(speaking)
        await speaking.aclose()
        sound = await spoken(voice, "Yes.")
        assert len(sound) / 2 / voice.sample_rate < 4

    async def test_speaks_several_lines_at_a_time(self, voice: Voice) -> None:
        async def length(text: str) -> int:
            return sum([len(piece) async for piece in voice.speak(text)])

        short, long = await asyncio.gather(length("Yes."), length("One moment please, I am checking the calendar."))
        assert 0 < short < long

    async def test_says_what_it_is_called(self, voice: Voice) -> None:
        assert ":" in voice.abilities.name
        assert voice.abilities.quality in ("demo", "production")
