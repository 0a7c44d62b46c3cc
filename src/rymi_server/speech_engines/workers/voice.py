"""A voice whose engine lives in a worker process: pieces of a text are asked for one after the other."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.sentences import pieces
from rymi_server.speech_engines.workers.process import Receiver, WorkerProcess
from rymi_server.speech_engines.workers.wire import Kind, Message, said

# An engine that has made nothing for so long never will.
_PATIENCE_SECONDS: Final = 10.0
_SILENCE_MS: Final = 100


class WorkerVoice:
    """Keeps the promise of `Voice`. `manner` is sent with each piece. The worker is its owner's to close."""

    def __init__(
        self,
        abilities: Abilities,
        sample_rate: int,
        worker: WorkerProcess,
        manner: Mapping[str, Any],
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._abilities = abilities
        self._sample_rate = sample_rate
        self._worker = worker
        self._manner = dict(manner)
        self._patience = patience

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    @property
    def sample_rate(self) -> int:
        return self._sample_rate

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        made = False
        for piece in pieces(text):
            # Closed at once with the outer iterator, not whenever it is collected.
            async with aclosing(self._say(piece)) as sounds:
                async for sound in sounds:
                    made = True
                    yield sound
        if not made:
            # A text of signs alone.
            yield bytes(self._sample_rate * _SILENCE_MS // 1_000 * 2)

    async def aclose(self) -> None:
        """Nothing is this voice's own."""

    async def _say(self, piece: str) -> AsyncGenerator[bytes, None]:
        await self._worker.start()
        came: asyncio.Queue[Message | None] = asyncio.Queue()
        stream = self._worker.open(Receiver(came.put_nowait, lambda: came.put_nowait(None)))
        done = False
        try:
            self._worker.send(said(Kind.SPEAK, stream, {"text": piece, **self._manner}))
            while True:
                message = await self._next(came)
                if message.kind is Kind.SOUND:
                    yield message.body
                    continue
                done = True
                if message.kind is Kind.FAILED:
                    raise EngineFailed(self._abilities.name, message.body.decode(), retryable=False)
                return
        finally:
            self._worker.close(stream)
            if not done and self._worker.running:
                self._worker.send(Message(Kind.STOP, stream))

    async def _next(self, came: "asyncio.Queue[Message | None]") -> Message:
        before = self._worker.messages
        try:
            async with asyncio.timeout(self._patience):
                message = await came.get()
        except TimeoutError as error:
            self._worker.give_up(before)
            raise EngineFailed(self._abilities.name, "it has gone silent") from error
        if message is None:
            raise EngineFailed(self._abilities.name, "its process died")
        return message
