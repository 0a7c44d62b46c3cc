"""An ear whose recogniser lives in worker processes: one pool, and a recogniser for each person."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import (
    FRAME_MS,
    HEARING_RATE,
    Abilities,
    Expected,
    Heard,
    Listeners,
    Vocabulary,
    Word,
)
from rymi_server.speech_engines.workers.process import Receiver, WorkerProcess
from rymi_server.speech_engines.workers.wire import Kind, Message, said

_OPEN_SECONDS: Final = 20.0
# How long a result may take. The worker decodes faster than people speak, but others may be before us.
_RESULT_SECONDS: Final = 12.0
# Every message costs both ends a system call, and a draft may well be a moment late.
_GATHERED_BYTES: Final = 4 * FRAME_MS * HEARING_RATE // 1_000 * 2


class WorkerEar:
    """Keeps the promise of `Ear`. A worker that dies, or is stuck, fails the utterances it was hearing, and is started
    again."""

    def __init__(
        self, abilities: Abilities, workers: Sequence[WorkerProcess], patience: float = _RESULT_SECONDS
    ) -> None:
        self._abilities = abilities
        self._workers = tuple(workers)
        self._patience = patience

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    async def warm(self) -> None:
        """Start the workers now, so that the first caller does not wait for it."""
        await asyncio.gather(*(worker.start() for worker in self._workers))

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> "WorkerStream":
        worker = min(self._workers, key=lambda each: each.streams)
        stream = WorkerStream(self._abilities.name, worker, vocabulary, listeners, self._patience)
        await stream.open()
        return stream

    async def aclose(self) -> None:
        """The workers are their owner's."""


class WorkerStream:
    """One person. After its worker died it opens itself anew with the next sound."""

    def __init__(
        self, engine: str, worker: WorkerProcess, vocabulary: Vocabulary, listeners: Listeners, patience: float
    ) -> None:
        self._patience = patience
        self._engine = engine
        self._worker = worker
        self._vocabulary = vocabulary
        self._listeners = listeners
        self._expected: Expected | None = None
        self._number: int | None = None
        self._opened: asyncio.Future[None] | None = None
        self._result: asyncio.Future[Heard] | None = None
        self._reopening: asyncio.Task[None] | None = None
        self._gathered = bytearray()
        self._lost = False
        self._closed = False

    async def open(self) -> None:
        await self._worker.start()
        self._opened = asyncio.get_running_loop().create_future()
        number = self._worker.open(Receiver(self._on_message, self._on_lost))
        self._number = number
        before = self._worker.messages
        try:
            self._worker.send(said(Kind.OPEN, number, asdict(self._vocabulary)))
            if self._expected:
                self._worker.send(said(Kind.EXPECT, number, asdict(self._expected)))
            async with asyncio.timeout(_OPEN_SECONDS):
                await self._opened
        except TimeoutError as error:
            self._let_go()
            self._worker.give_up(before)
            raise EngineFailed(self._engine, "it does not begin to listen") from error
        except EngineFailed:
            self._let_go()
            raise

    def push(self, pcm: bytes) -> None:
        if self._number is None:
            self._reopen()
            return
        self._gathered += pcm
        if len(self._gathered) >= _GATHERED_BYTES:
            self._send_gathered()

    async def finish_utterance(self) -> Heard:
        self._send_gathered()
        if self._lost or self._number is None:
            self._lost = False
            raise EngineFailed(self._engine, "its process died while it listened")
        self._result = asyncio.get_running_loop().create_future()
        before = self._worker.messages
        try:
            self._worker.send(Message(Kind.FINISH, self._number))
            async with asyncio.timeout(self._patience):
                return await self._result
        except TimeoutError as error:
            # A late result would be taken for the next one's: begin anew, before the loss is told to all.
            self._let_go()
            self._worker.give_up(before)
            raise EngineFailed(self._engine, "it has not answered in time") from error
        finally:
            self._result = None

    def drop_utterance(self) -> None:
        self._gathered.clear()
        self._lost = False
        if self._number is not None:
            self._tell(Message(Kind.DROP, self._number))

    def expect(self, expected: Expected | None) -> None:
        self._expected = expected
        if self._number is not None:
            self._tell(said(Kind.EXPECT, self._number, asdict(expected) if expected else None))

    async def aclose(self) -> None:
        self._closed = True
        if self._reopening:
            self._reopening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reopening
        self._let_go()

    def _let_go(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            self._worker.close(number)
            if self._worker.running:
                with contextlib.suppress(EngineFailed):
                    self._worker.send(Message(Kind.CLOSE, number))

    def _send_gathered(self) -> None:
        if self._gathered and self._number is not None:
            self._tell(Message(Kind.AUDIO, self._number, bytes(self._gathered)))
        self._gathered.clear()

    def _tell(self, message: Message) -> None:
        try:
            self._worker.send(message)
        except EngineFailed:
            self._lost = True
            self._let_go()

    def _reopen(self) -> None:
        if not self._closed and (self._reopening is None or self._reopening.done()):
            self._reopening = asyncio.create_task(self._try_again(), name=f"{self._engine} listens again")

    async def _try_again(self) -> None:
        # It failed the utterance already; where it cannot be mended, the next utterance fails as well.
        with contextlib.suppress(EngineFailed):
            await self.open()

    def _on_message(self, message: Message) -> None:
        if message.kind is Kind.DRAFT:
            self._listeners.on_draft(message.read())
        elif message.kind is Kind.RESULT and self._result and not self._result.done():
            self._result.set_result(_heard(message.read(), self._engine))
        elif message.kind is Kind.READY and self._opened and not self._opened.done():
            self._opened.set_result(None)

    def _on_lost(self) -> None:
        self._number = None
        died = EngineFailed(self._engine, "its process died while it listened")
        for waiting in (self._opened, self._result):
            if waiting and not waiting.done():
                waiting.set_exception(died)
                break
        else:
            self._lost = True


def _heard(value: dict[str, Any], engine: str) -> Heard:
    return Heard(value["text"], value["confidence"], tuple(Word(*word) for word in value["words"]), engine)
