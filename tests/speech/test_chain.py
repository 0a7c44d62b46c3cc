"""Several engines as one: `speech_engines/chain.py`, with engines that fail when they are told to."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest
from tests.speech.ear_promise import EarPromise
from tests.speech.sounding import push, said
from tests.speech.stand_ins.loudness import recognised
from tests.speech.vendors import tone
from tests.speech.voice_promise import VoicePromise

from rymi_server.speech_engines.chain import EarChain, VoiceChain
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities, Ear, Expected, Heard, Listeners, Vocabulary, Voice


class ScriptedEar:
    """Hears by loudness. It fails to listen, or to answer, as often as it is told to."""

    def __init__(self, name: str = "test:ear", *, deaf: int = 0, silent: int = 0, quality: str = "production") -> None:
        self.name, self.deaf, self.silent, self.quality = name, deaf, silent, quality
        self.closed = False

    @property
    def abilities(self) -> Abilities:
        return Abilities(self.name, self.quality, gives_drafts=False)

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> "ScriptedStream":
        if self.deaf:
            self.deaf -= 1
            raise EngineFailed(self.name, "it does not listen")
        return ScriptedStream(self)

    async def aclose(self) -> None:
        self.closed = True


class ScriptedStream:
    def __init__(self, ear: ScriptedEar) -> None:
        self._ear = ear
        self._sound = bytearray()
        self.expected: Expected | None = None

    def push(self, pcm: bytes) -> None:
        self._sound += pcm

    async def finish_utterance(self) -> Heard:
        sound = np.frombuffer(bytes(self._sound), np.int16)
        self._sound.clear()
        if self._ear.silent:
            self._ear.silent -= 1
            raise EngineFailed(self._ear.name, "it does not answer")
        return Heard(recognised(sound), engine=self._ear.name)

    def drop_utterance(self) -> None:
        self._sound.clear()

    def expect(self, expected: Expected | None) -> None:
        self.expected = expected

    async def aclose(self) -> None:
        """Nothing is open."""


class ScriptedVoice:
    """Speaks a tone. It fails after so many pieces."""

    def __init__(self, name: str, rate: int = 24_000, fails_after: int | None = None) -> None:
        self.name, self.rate, self.fails_after = name, rate, fails_after

    @property
    def abilities(self) -> Abilities:
        return Abilities(self.name, "demo" if self.name == "espeak:en" else "production", gives_drafts=False)

    @property
    def sample_rate(self) -> int:
        return self.rate

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        sound = tone(text)
        for number, at in enumerate(range(0, len(sound), 9_600)):
            if number == self.fails_after:
                raise EngineFailed(self.name, "it does not speak")
            await asyncio.sleep(0)
            yield sound[at : at + 9_600]

    async def aclose(self) -> None:
        """Nothing is open."""


async def spoken(voice: Voice, text: str) -> int:
    return sum([len(piece) async for piece in voice.speak(text)])


class TestAScriptedEar(EarPromise):
    @pytest.fixture
    def ear(self) -> Ear:
        return ScriptedEar()


class TestAChainOfEars(EarPromise):
    @pytest.fixture
    def ear(self) -> Ear:
        return EarChain([ScriptedEar("test:first"), ScriptedEar("test:second")])

    async def test_hears_the_same_utterance_with_the_next(self) -> None:
        reports: list[str] = []
        ears = [ScriptedEar("test:first", silent=1), ScriptedEar("espeak:x", quality="demo")]
        ear = EarChain(ears, reports.append)
        stream = await ear.listen(Vocabulary(), Listeners())
        push(stream, said("opening_hours"))
        assert await stream.finish_utterance() == Heard("what are your opening hours", engine="espeak:x")
        push(stream, said("yes"))
        assert await stream.finish_utterance() == Heard("yes", engine="espeak:x")
        assert reports == ["test:first: it does not answer. espeak:x (demo quality) takes over."]
        assert ear.abilities.name == "espeak:x"

    async def test_hands_over_once_for_all_people_of_a_call(self) -> None:
        reports: list[str] = []
        ear = EarChain([ScriptedEar("test:first", deaf=2), ScriptedEar("test:second")], reports.append)
        streams = [await ear.listen(Vocabulary(), Listeners()) for _ in range(2)]
        for stream in streams:
            push(stream, said("yes"))
        assert [(await stream.finish_utterance()).engine for stream in streams] == ["test:second"] * 2
        assert len(reports) == 1

    async def test_raises_when_all_have_failed_and_hears_again_when_they_are_back(self) -> None:
        ear = EarChain([ScriptedEar("test:first", silent=1), ScriptedEar("test:second", silent=1)])
        stream = await ear.listen(Vocabulary(), Listeners())
        push(stream, said("yes"))
        with pytest.raises(EngineFailed, match="second"):
            await stream.finish_utterance()
        push(stream, said("opening_hours"))
        assert "hours" in (await stream.finish_utterance()).text

    async def test_closes_all_of_them(self) -> None:
        ears = [ScriptedEar(), ScriptedEar()]
        await EarChain(ears).aclose()
        assert [ear.closed for ear in ears] == [True, True]


class TestAChainOfVoices(VoicePromise):
    @pytest.fixture
    def voice(self) -> Voice:
        return VoiceChain([ScriptedVoice("test:first"), ScriptedVoice("test:second")])

    async def test_speaks_the_line_again_at_the_same_rate(self) -> None:
        reports: list[str] = []
        first, second = ScriptedVoice("test:first", 48_000, fails_after=0), ScriptedVoice("espeak:en", 24_000)
        voice = VoiceChain([first, second], reports.append)
        sound = await spoken(voice, "Hello there.")
        assert sound == pytest.approx(2 * len(tone("Hello there.")), rel=0.02)
        assert voice.sample_rate == 48_000
        assert reports == ["test:first: it does not speak. espeak:en (demo quality) takes over."]

    async def test_does_not_go_back_within_a_call(self) -> None:
        reports: list[str] = []
        voice = VoiceChain([ScriptedVoice("test:first", fails_after=1), ScriptedVoice("test:second")], reports.append)
        await spoken(voice, "Hello there.")
        await spoken(voice, "Hello again.")
        assert len(reports) == 1

    async def test_raises_when_all_have_failed(self) -> None:
        with pytest.raises(EngineFailed, match="does not speak"):
            await spoken(VoiceChain([ScriptedVoice("test:only", fails_after=0)]), "Hello.")
