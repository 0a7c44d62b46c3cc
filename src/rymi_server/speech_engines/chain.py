"""Several engines as one: when one fails, the next takes over within the call, and somebody is told."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final

import numpy as np

from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import (
    FRAME_MS,
    Abilities,
    Ear,
    EarStream,
    Expected,
    Heard,
    Listeners,
    Vocabulary,
    Voice,
)

# What the next engine hears again of an utterance in which one failed.
_HEARD_AGAIN_MS: Final = 30_000

Report = Callable[[str], None]


def unheard(_: str) -> None:
    """Nobody is told."""


class _Turns:
    """Whose turn it is: the same for all of a call, and never back to one that has failed in it."""

    def __init__(self, names: Sequence[Abilities], report: Report) -> None:
        self._engines = names
        self._report = report
        self.at = 0

    def over(self, failed: int, error: EngineFailed) -> None:
        """Hand over to the next; raise `error` where there is none."""
        if failed + 1 >= len(self._engines):
            raise error
        if self.at == failed:
            self.at = failed + 1
            heir = self._engines[self.at]
            label = " (demo quality)" if heir.quality == "demo" else ""
            self._report(f"{error.message.rstrip('.')}. {heir.name}{label} takes over.")


class EarChain:
    """Keeps the promise of `Ear`. Made for one call."""

    def __init__(self, ears: Sequence[Ear], report: Report = unheard) -> None:
        self._ears = tuple(ears)
        self._turns = _Turns([ear.abilities for ear in ears], report)

    @property
    def abilities(self) -> Abilities:
        return self._ears[self._turns.at].abilities

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> "ChainedStream":
        stream = ChainedStream(self._ears, self._turns, vocabulary, listeners)
        await stream.open()
        return stream

    async def aclose(self) -> None:
        for ear in self._ears:
            await ear.aclose()


class ChainedStream:
    def __init__(self, ears: Sequence[Ear], turns: _Turns, vocabulary: Vocabulary, listeners: Listeners) -> None:
        self._ears = ears
        self._turns = turns
        self._vocabulary = vocabulary
        self._listeners = listeners
        self._stream: EarStream | None = None
        self._at = 0
        self._expected: Expected | None = None
        self._utterance: deque[bytes] = deque(maxlen=_HEARD_AGAIN_MS // FRAME_MS)

    async def open(self) -> EarStream:
        """Listen with the first that can be had. Raise `EngineFailed` where none can."""
        while self._stream is None:
            self._at = self._turns.at
            try:
                self._stream = await self._ears[self._at].listen(self._vocabulary, self._listeners)
            except EngineFailed as error:
                self._turns.over(self._at, error)
        self._stream.expect(self._expected)
        return self._stream

    def push(self, pcm: bytes) -> None:
        self._utterance.append(pcm)
        if self._stream is not None:
            self._stream.push(pcm)

    async def finish_utterance(self) -> Heard:
        utterance = list(self._utterance)
        self._utterance.clear()
        while True:
            stream = self._stream
            if stream is None:
                stream = await self.open()
                for frame in utterance:
                    stream.push(frame)
            try:
                return await stream.finish_utterance()
            except EngineFailed as error:
                await self._leave()
                self._turns.over(self._at, error)

    def drop_utterance(self) -> None:
        self._utterance.clear()
        if self._stream is not None:
            self._stream.drop_utterance()

    def expect(self, expected: Expected | None) -> None:
        self._expected = expected
        if self._stream is not None:
            self._stream.expect(expected)

    async def aclose(self) -> None:
        await self._leave()

    async def _leave(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()


class VoiceChain:
    """Keeps the promise of `Voice`. A line in which one failed is spoken again from its beginning by the next."""

    def __init__(self, voices: Sequence[Voice], report: Report = unheard) -> None:
        self._voices = tuple(voices)
        self._turns = _Turns([voice.abilities for voice in voices], report)

    @property
    def abilities(self) -> Abilities:
        return self._voices[self._turns.at].abilities

    @property
    def sample_rate(self) -> int:
        """The first one's for the whole call; the others are brought to it."""
        return self._voices[0].sample_rate

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        while True:
            at = self._turns.at
            try:
                async with aclosing(self._spoken(self._voices[at], text)) as sounds:
                    async for sound in sounds:
                        yield sound
            except EngineFailed as error:
                self._turns.over(at, error)
            else:
                return

    async def aclose(self) -> None:
        for voice in self._voices:
            await voice.aclose()

    async def _spoken(self, voice: Voice, text: str) -> AsyncGenerator[bytes, None]:
        async with aclosing(voice.speak(text)) as sounds:
            if voice.sample_rate == self.sample_rate:
                async for sound in sounds:
                    yield sound
                return
            resampler = PolyResampler(voice.sample_rate, self.sample_rate)
            async for sound in sounds:
                yield resampler.push(np.frombuffer(sound, np.int16)).tobytes()
            yield resampler.flush().tobytes()
