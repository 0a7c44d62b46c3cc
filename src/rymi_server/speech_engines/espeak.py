"""The voice that needs nothing: espeak-ng in a process of its own. Of demonstration quality."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.espeak_names import DEFAULT_VOICE
from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.sentences import pieces
from rymi_server.speech_engines.workers.process import Receiver, WorkerProcess
from rymi_server.speech_engines.workers.wire import Kind, Message, said

SAMPLE_RATE: Final = 22_050
_SILENCE: Final = bytes(SAMPLE_RATE // 10 * 2)
# espeak-ng makes a second of sound in a millisecond. One that has not begun by then never will.
_PATIENCE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Manner:
    words_a_minute: int = 170
    pitch: int = 50


def espeak_worker() -> WorkerProcess:
    """One serves all voices of a process."""
    return WorkerProcess("espeak", "rymi_server.speech_engines.workers.espeak")


class EspeakVoice:
    """Keeps the promise of `Voice`. The worker is its owner's to close."""

    def __init__(self, worker: WorkerProcess, voice: str = DEFAULT_VOICE, manner: Manner | None = None) -> None:
        self._worker = worker
        self._voice = voice
        self._manner = manner or Manner()
        self._abilities = Abilities(f"espeak:{voice}", quality="demo", gives_drafts=False)

    @property
    def abilities(self) -> Abilities:
        return self._abilities

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

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
            yield _SILENCE

    async def aclose(self) -> None:
        """Nothing is this voice's own."""

    async def _say(self, piece: str) -> AsyncGenerator[bytes, None]:
        await self._worker.start()
        came: asyncio.Queue[Message | None] = asyncio.Queue()
        stream = self._worker.open(Receiver(came.put_nowait, lambda: came.put_nowait(None)))
        manner = {"words_a_minute": self._manner.words_a_minute, "pitch": self._manner.pitch}
        done = False
        try:
            self._worker.send(said(Kind.SPEAK, stream, {"text": piece, "voice": self._voice, **manner}))
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
        try:
            message = await asyncio.wait_for(came.get(), _PATIENCE_SECONDS)
        except TimeoutError as error:
            raise EngineFailed(self._abilities.name, "it has gone silent") from error
        if message is None:
            raise EngineFailed(self._abilities.name, "its process died")
        return message
