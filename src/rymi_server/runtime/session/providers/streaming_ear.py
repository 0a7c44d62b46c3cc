"""A recogniser that hears while somebody speaks. Whatever it takes for a turn, we say when an utterance is over."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from livekit import rtc
from livekit.agents import stt

from rymi_server.runtime.session.providers.failing import ONCE, plugin_of
from rymi_server.runtime.session.providers.habits import GivenOut, habits_of
from rymi_server.runtime.session.providers.transcribing import heard_in
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.onset import Onset
from rymi_server.speech_engines.promises import (
    HEARING_RATE,
    Abilities,
    Expected,
    Heard,
    Listeners,
    Vocabulary,
)

# After we have said that the utterance is over: how long for words of which a draft was seen, and for words of speech
# of which nothing was seen yet.
_FOR_DRAFTED_S: Final = 0.7
_FOR_UNSEEN_S: Final = 0.35
# Sound that waits for a slow connection: more than so much is not kept.
_MOST_WAITING: Final = 1_500
# After an utterance was dropped: what was heard in it is told within this time, and is not wanted.
_DROPPED_TOLD_S: Final = 0.5

NewRecogniser = Callable[[Vocabulary], stt.STT[Any]]


class StreamingEar:
    """Keeps the promise of `Ear`."""

    def __init__(self, name: str, example: stt.STT[Any], new_recogniser: NewRecogniser) -> None:
        self._abilities = abilities_of(name, example)
        self._example = example
        self._new_recogniser = new_recogniser

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> "StreamingStream":
        with plugin_of(self._abilities.name):
            return StreamingStream(self._abilities, self._new_recogniser(vocabulary), listeners)

    async def aclose(self) -> None:
        """Each stream closes its own."""
        with plugin_of(self._abilities.name):
            await self._example.aclose()


class StreamingStream:
    def __init__(self, abilities: Abilities, recogniser: stt.STT[Any], listeners: Listeners) -> None:
        self._name = name = abilities.name
        self._gives_drafts = abilities.gives_drafts
        self._given = GivenOut(habits_of(name))
        self._deaf_until = 0.0
        self._recogniser = recogniser
        self._listeners = listeners
        self._stream = recogniser.stream(conn_options=ONCE)
        self._onset = Onset()
        self._finals: list[stt.SpeechData] = []
        self._draft: stt.SpeechData | None = None
        self._pushed_s = 0.0
        self._ended = False
        self._changed = asyncio.Event()
        self._failure: EngineFailed | None = None
        self._reading = asyncio.create_task(self._read(), name=f"{name} hears")

    def push(self, pcm: bytes) -> None:
        samples = len(pcm) // 2
        self._pushed_s += samples / HEARING_RATE
        self._onset.push(pcm)
        if self._failure is None and self._stream._input_ch.qsize() < _MOST_WAITING:
            with contextlib.suppress(RuntimeError):
                # Closed between two of its own events; the reader says why.
                self._stream.push_frame(rtc.AudioFrame(pcm, HEARING_RATE, 1, samples))

    async def finish_utterance(self) -> Heard:
        self._deaf_until = 0.0
        if self._failure is None:
            self._flush()
            await self._settle()
        if self._failure is not None:
            raise self._failure
        pieces = [*self._finals, *([self._draft] if self._draft else [])]
        self._forget()
        return heard_in(pieces, self._name)

    def drop_utterance(self) -> None:
        """It is told, too: the sound of it must not be taken for the beginning of the next."""
        habits = self._given.habits
        if self._failure is None and self._onset.open:
            self._flush()
        if habits.takes_flush and not habits.tells_times:
            self._deaf_until = asyncio.get_running_loop().time() + _DROPPED_TOLD_S
        self._forget()

    def expect(self, expected: Expected | None) -> None:
        """These recognisers cannot be told in the middle of a stream."""

    async def aclose(self) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        # What it still has to complain about as it leaves is of no use to anybody.
        with contextlib.suppress(EngineFailed), plugin_of(self._name):
            await self._stream.aclose()
        with plugin_of(self._name):
            await self._recogniser.aclose()

    def _flush(self) -> None:
        if self._given.habits.takes_flush:
            with contextlib.suppress(RuntimeError):
                self._stream.flush()

    async def _settle(self) -> None:
        """Until no more words are to be expected of what was said up to now."""
        loop = asyncio.get_running_loop()
        flushed = loop.time()
        while self._failure is None:
            if self._draft is not None:
                patience = _FOR_DRAFTED_S
            elif self._ended or self._finals or not self._onset.open:
                # Something final is there, or nothing was said. What the flush brings up comes within a moment.
                patience = 0.0 if self._ended else _FOR_UNSEEN_S / 2
            else:
                patience = _FOR_UNSEEN_S
            left = flushed + patience - loop.time()
            if left <= 0:
                return
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    def _forget(self) -> None:
        if self._draft is not None:
            self._given.owed = self._draft.text
        self._finals, self._draft = [], None
        self._given.until_s = self._pushed_s
        self._ended = False
        self._onset.reset()

    async def _read(self) -> None:
        try:
            with plugin_of(self._name):
                async for event in self._stream:
                    self._take(event)
            self._failure = EngineFailed(self._name, "it has ended the stream")
        except EngineFailed as error:
            self._failure = error
        finally:
            self._changed.set()

    def _take(self, event: stt.SpeechEvent) -> None:
        kind = stt.SpeechEventType
        piece = event.alternatives[0] if event.alternatives else None
        if event.type is kind.START_OF_SPEECH:
            self._ended = False
            self._listeners.on_boundary(True)
        elif event.type is kind.END_OF_SPEECH:
            # The end of an utterance that was given out already says nothing of this one.
            self._ended = bool(self._finals)
            self._listeners.on_boundary(False)
        elif piece is not None and piece.text.strip():
            self._take_words(event.type, piece)
        self._changed.set()

    def _take_words(self, kind: stt.SpeechEventType, piece: stt.SpeechData) -> None:
        if asyncio.get_running_loop().time() < self._deaf_until:
            return
        final = kind is stt.SpeechEventType.FINAL_TRANSCRIPT
        fresh = self._given.fresh(piece, final=final)
        if fresh is None:
            return
        if final:
            self._finals.append(fresh)
            self._draft = None
        elif kind in (stt.SpeechEventType.INTERIM_TRANSCRIPT, stt.SpeechEventType.PREFLIGHT_TRANSCRIPT):
            self._draft = fresh
            self._ended = False
        if self._gives_drafts:
            so_far = [*self._finals, *([self._draft] if self._draft else [])]
            self._listeners.on_draft(" ".join(each.text.strip() for each in so_far))


def abilities_of(name: str, plugin: Any) -> Abilities:
    """What the plugin says of itself. Those that tell where speech ends are known by name."""
    drafts, ends = plugin.capabilities.interim_results, habits_of(name).tells_turn_ends
    return Abilities(name, gives_drafts=drafts, gives_turn_ends=ends)
