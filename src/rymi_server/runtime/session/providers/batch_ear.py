"""A recogniser that is sent each utterance once it is over: OpenAI's, and every server that speaks its protocol."""

from collections.abc import Callable
from typing import Any, Final

from livekit import rtc
from livekit.agents import stt

from rymi_server.runtime.session.providers.failing import ONCE, plugin_of
from rymi_server.runtime.session.providers.transcribing import heard_in
from rymi_server.speech_engines.onset import Onset
from rymi_server.speech_engines.promises import (
    FRAME_MS,
    HEARING_RATE,
    Abilities,
    Expected,
    Heard,
    Listeners,
    Vocabulary,
)

# Ten minutes are more than anybody says in one go; of more than that the beginning is lost.
_MOST_MS: Final = 600_000
_BYTES_A_MS: Final = HEARING_RATE * 2 // 1_000
# Recognisers make words of nearly nothing.
_LEAST_MS: Final = 100

NewRecogniser = Callable[[Vocabulary], stt.STT[Any]]


class BatchEar:
    """Keeps the promise of `Ear`."""

    def __init__(self, name: str, example: stt.STT[Any], new_recogniser: NewRecogniser) -> None:
        self._name = name
        self._example = example
        self._new_recogniser = new_recogniser

    @property
    def abilities(self) -> Abilities:
        return Abilities(self._name, gives_drafts=False)

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> "BatchStream":  # noqa: ARG002 - no drafts
        with plugin_of(self._name):
            return BatchStream(self._name, self._new_recogniser(vocabulary))

    async def aclose(self) -> None:
        """Each stream closes its own."""
        with plugin_of(self._name):
            await self._example.aclose()


class BatchStream:
    def __init__(self, name: str, recogniser: stt.STT[Any]) -> None:
        self._name = name
        self._recogniser = recogniser
        self._onset = Onset()
        self._sound = bytearray()
        self._heard_ms = 0

    def push(self, pcm: bytes) -> None:
        self._heard_ms += FRAME_MS
        for frame in self._onset.push(pcm):
            self._sound += frame
        if self._onset.given_up:
            self.drop_utterance()
        elif len(self._sound) > _MOST_MS * _BYTES_A_MS:
            del self._sound[: len(self._sound) // 2]

    async def finish_utterance(self) -> Heard:
        noticed = self._onset.open
        for frame in self._onset.finish():
            self._sound += frame
        sound = bytes(self._sound)
        self._sound.clear()
        if not noticed or len(sound) < _LEAST_MS * _BYTES_A_MS:
            return Heard("", engine=self._name)
        began_ms = self._heard_ms - len(sound) // _BYTES_A_MS
        spoken = rtc.AudioFrame(sound, HEARING_RATE, 1, len(sound) // 2)
        with plugin_of(self._name):
            event = await self._recogniser.recognize(spoken, conn_options=ONCE)
        return heard_in(event.alternatives[:1], self._name, began_ms)

    def drop_utterance(self) -> None:
        self._onset.reset()
        self._sound.clear()

    def expect(self, expected: Expected | None) -> None:
        """These recognisers cannot be told."""

    async def aclose(self) -> None:
        with plugin_of(self._name):
            await self._recogniser.aclose()
