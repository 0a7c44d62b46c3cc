"""The engines that every machine has, of demonstration quality."""

from collections.abc import Mapping
from typing import Any

from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.espeak_names import DEFAULT_VOICE, voice_named
from rymi_server.speech_engines.promises import Ear, Voice
from rymi_server.speech_engines.sphinx.ear import SphinxEar, sphinx_worker


class OfflineEngines:
    """Keeps the promise of `Engines`. One worker process of each kind serves all calls of this process."""

    def __init__(self) -> None:
        self._espeak = espeak_worker()
        self._sphinx = sphinx_worker()

    def start_early(self) -> None:
        """Have the processes come up, before there is a call or an event loop."""
        self._espeak.start_early()
        self._sphinx.start_early()

    def ear(self, agent: Mapping[str, Any]) -> Ear:  # noqa: ARG002 - Keeps the promise.
        return SphinxEar([self._sphinx])

    def voice(self, agent: Mapping[str, Any]) -> Voice:
        wanted = str(agent.get("voice") or "").removeprefix("espeak:") or str(agent.get("language") or "")
        return EspeakVoice(self._espeak, voice_named(wanted) or DEFAULT_VOICE)

    async def aclose(self) -> None:
        await self._espeak.aclose()
        await self._sphinx.aclose()
