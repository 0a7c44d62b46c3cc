"""The engines that every machine has, of demonstration quality."""

from collections.abc import Mapping
from typing import Any

from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.espeak_names import DEFAULT_VOICE, voice_named
from rymi_server.speech_engines.promises import Abilities, Ear, EarStream, Expected, Heard, Listeners, Vocabulary, Voice


class OfflineEngines:
    """Keeps the promise of `Engines`. One worker process of each kind serves all calls of this process."""

    def __init__(self) -> None:
        self._espeak = espeak_worker()

    def ear(self, agent: Mapping[str, Any]) -> Ear:  # noqa: ARG002 - Keeps the promise.
        return NoEar()

    def voice(self, agent: Mapping[str, Any]) -> Voice:
        wanted = str(agent.get("voice") or "").removeprefix("espeak:") or str(agent.get("language") or "")
        return EspeakVoice(self._espeak, voice_named(wanted) or DEFAULT_VOICE)

    async def aclose(self) -> None:
        await self._espeak.aclose()


class NoEar:
    """Hears that somebody speaks, and no words."""

    @property
    def abilities(self) -> Abilities:
        return Abilities("none", quality="demo", gives_drafts=False)

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> EarStream:  # noqa: ARG002
        return _NoStream()

    async def aclose(self) -> None:
        """Nothing was opened."""


class _NoStream:
    def push(self, pcm: bytes) -> None: ...

    async def finish_utterance(self) -> Heard:
        return Heard("")

    def drop_utterance(self) -> None: ...

    def expect(self, expected: Expected | None) -> None: ...

    async def aclose(self) -> None: ...
