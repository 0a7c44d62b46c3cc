"""One person's line: their sound goes to a turn detector and to a recogniser, and what these find to the hub."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from rymi_server.foundation.errors import Unavailable
from rymi_server.runtime.hearing.hub import Hub
from rymi_server.runtime.turn_taking.signals import Began, Dropped, Ended, Signal, TurnDetector
from rymi_server.speech_engines.promises import (
    FRAME_MS,
    HEARING_RATE,
    Ear,
    EarStream,
    Expected,
    Heard,
    Listeners,
    Vocabulary,
)

log = structlog.get_logger(__name__)

FRAME_BYTES = HEARING_RATE * FRAME_MS // 1_000 * 2
SILENT_FRAME = bytes(FRAME_BYTES)
_NOTHING = Heard("")
_NO_MORE = "no more"
# A recogniser that has not answered by now has lost these words; the next ones must not wait for them.
_ANSWERS_WITHIN_S = 15.0
_CLOSES_WITHIN_S = 3.0
_TRIES_AGAIN_AFTER_S = (0.5, 1.0, 2.0, 5.0)
# A line on which nothing comes, not even silence, is silent.
_LINE_IS_DEAD_AFTER_S = 0.2
# So much of what is said while a recogniser is still being opened is kept for it.
_MOST_MISSED_FRAMES = 20_000 // FRAME_MS


# What is to be heard of a frame.
Cleaner = Callable[[bytes], bytes]


def as_it_is(frame: bytes) -> bytes:
    return frame


@dataclass(slots=True)
class Tap:
    """Opened for one person for as long as their microphone is there."""

    identity: str
    hub: Hub
    detector: TurnDetector
    ear: Ear
    vocabulary: Vocabulary
    complain: Callable[[str], None]
    now: Callable[[], float]
    clean: Cleaner = as_it_is
    _stream: EarStream | None = None
    _closing: bool = False
    _rest: bytes = b""
    _heard_at: float = 0.0
    _heard_ms: int = 0
    # The streams to be asked, one for each utterance that has ended, None for one that was missed; `_NO_MORE` at last.
    _utterances: asyncio.Queue[EarStream | str | None] = field(default_factory=asyncio.Queue)
    # What was said before the recogniser was there: frames, and None where an utterance ended.
    _missed: deque[bytes | None] = field(default_factory=deque)
    _listening: asyncio.Event = field(default_factory=asyncio.Event)
    _expected: Expected | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _failed: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self) -> None:
        """The person is heard from here on; their words are recognised as soon as the engine is there."""
        self._heard_at = self.now()
        self.hub.enter(self.identity, gives_drafts=self.ear.abilities.gives_drafts)
        self._tasks = [asyncio.create_task(self._keep_listening()), asyncio.create_task(self._recognise())]

    def push(self, pcm: bytes, heard_ms: int) -> None:
        """16 kHz, 16 bit, mono, of any length. `heard_ms`: when its end was heard, on the call's clock."""
        self._heard_at = self.now()
        self._rest += pcm
        while len(self._rest) >= FRAME_BYTES:
            frame, self._rest = self._rest[:FRAME_BYTES], self._rest[FRAME_BYTES:]
            self._heard_ms = heard_ms - len(self._rest) * 1_000 // (2 * HEARING_RATE)
            self._push_frame(frame)

    def tick(self) -> None:
        """Called every 20 ms: a line that went dead in the middle of a turn must not keep the floor."""
        if self.detector.speaking and self.now() - self._heard_at > _LINE_IS_DEAD_AFTER_S:
            self._heard_ms += FRAME_MS
            self._push_frame(SILENT_FRAME)

    def expect(self, expected: Expected | None) -> None:
        self._expected = expected
        self.detector.expect(expected)
        if self._stream is not None:
            self._stream.expect(expected)

    async def aclose(self) -> None:
        """What was begun is recognised, so that last words are kept."""
        self._closing = True
        if self.detector.speaking:
            for signal in self._silence_until_end():
                self._act(signal)
        self._utterances.put_nowait(_NO_MORE)
        self._failed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                await asyncio.gather(*self._tasks)
        for task in self._tasks:
            task.cancel()
        self.hub.leave(self.identity)
        if self._stream is not None:
            await self._put_away(self._stream)

    def _silence_until_end(self) -> list[Signal]:
        """Feed silence, at most four seconds of it, until the detector has made up its mind."""
        signals: list[Signal] = []
        for _ in range(4_000 // FRAME_MS):
            self._heard_ms += FRAME_MS
            signals += self.detector.push(SILENT_FRAME)
            if not self.detector.speaking:
                break
        return signals

    def _push_frame(self, frame: bytes) -> None:
        frame = self.clean(frame)
        if (stream := self._up_to_date) is not None:
            stream.push(frame)
        else:
            self._miss(frame)
        for signal in self.detector.push(frame):
            self._act(signal)

    def _act(self, signal: Signal) -> None:
        if isinstance(signal, Began):
            self.hub.began(self.identity, signal, self._heard_ms)
        elif isinstance(signal, Ended):
            self.hub.ended(self.identity, signal, self._heard_ms, self.detector.used, self.detector.trace())
            if (stream := self._up_to_date) is None:
                self._missed.append(None)
            self._utterances.put_nowait(stream)
        elif isinstance(signal, Dropped):
            self.hub.dropped(self.identity)
            if (stream := self._up_to_date) is not None:
                stream.drop_utterance()
            while self._missed and self._missed[-1] is not None:
                self._missed.pop()
        else:
            self.hub.paused(self.identity)

    @property
    def _up_to_date(self) -> EarStream | None:
        """The recogniser, where it has been given all that was said before."""
        return None if self._missed else self._stream

    def _miss(self, frame: bytes) -> None:
        self._missed.append(frame)
        if len(self._missed) > _MOST_MISSED_FRAMES:
            del self._missed[next(at for at, piece in enumerate(self._missed) if piece is not None)]

    def _catch_up(self) -> None:
        """Give the recogniser what it has missed, unless an utterance in it has to be asked for first."""
        if self._stream is None or None in self._missed:
            return
        for frame in self._missed:
            assert frame is not None
            self._stream.push(frame)
        self._missed.clear()

    def _on_draft(self, text: str) -> None:
        self.detector.hear_draft(text)
        self.hub.drafted(self.identity, text)

    async def _keep_listening(self) -> None:
        """Open the recogniser, and open it again whenever it fails."""
        listeners = Listeners(on_draft=self._on_draft, on_boundary=self.detector.hear_boundary)
        failures = 0
        while not self._closing:
            try:
                self._stream = await self.ear.listen(self.vocabulary, listeners)
            except Unavailable as error:
                self._report_deaf(error, failures)
                wait = _TRIES_AGAIN_AFTER_S[min(failures, len(_TRIES_AGAIN_AFTER_S) - 1)]
                failures += 1
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._failed.wait()
                continue
            failures = 0
            if not self._closing:
                self._failed.clear()
            self._stream.expect(self._expected)
            self._catch_up()
            self._listening.set()
            await self._failed.wait()
            if not self._closing:
                await self._forget(self._stream)

    async def _forget(self, stream: EarStream) -> None:
        self._stream = None
        self._listening.clear()
        await self._put_away(stream)

    async def _put_away(self, stream: EarStream) -> None:
        try:
            await stream.aclose()
        except Unavailable as error:
            log.warning("ear_not_closed", identity=self.identity, error=repr(error))

    async def _recognise(self) -> None:
        while (stream := await self._utterances.get()) != _NO_MORE:
            assert not isinstance(stream, str)
            heard = await (self._words(stream) if stream is not None else self._missed_words())
            self.hub.verdict(self.identity, heard)

    async def _missed_words(self) -> Heard:
        """Of the oldest utterance that ended before the recogniser was there."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                await self._listening.wait()
        stream = self._stream
        while (frame := self._missed.popleft()) is not None:
            if stream is not None:
                stream.push(frame)
        heard = await self._words(stream) if stream is not None else _NOTHING
        self._catch_up()
        return heard

    async def _words(self, stream: EarStream) -> Heard:
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN_S):
                return await stream.finish_utterance()
        except (Unavailable, TimeoutError) as error:
            self._report_deaf(error, 0)
            if stream is self._stream:
                self._failed.set()
            return _NOTHING

    def _report_deaf(self, error: Exception, failures: int) -> None:
        log.warning("ear_failed", identity=self.identity, error=repr(error))
        if failures == 0:
            self.complain(f"{self.identity} cannot be heard: {str(error) or type(error).__name__}")
