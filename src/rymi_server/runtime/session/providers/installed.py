"""The engines of one agent process: made from names when a call begins, closed when it has ended."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from livekit.agents import llm

from rymi_server.runtime.session.providers.access import Access
from rymi_server.runtime.session.providers.batch_ear import BatchEar
from rymi_server.runtime.session.providers.manner import manner_of
from rymi_server.runtime.session.providers.own_voice import OwnVoice
from rymi_server.runtime.session.providers.plugin_voice import PluginVoice
from rymi_server.runtime.session.providers.plugins import load_plugins, recogniser, speaker, thinker
from rymi_server.runtime.session.providers.streaming_ear import StreamingEar
from rymi_server.speech_engines.casting import Defaults, Wanted, wanted_by
from rymi_server.speech_engines.chain import EarChain, Report, VoiceChain, unheard
from rymi_server.speech_engines.errors import EngineFailed, EngineNotReady
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.local import local_ear, local_voice
from rymi_server.speech_engines.naming import EngineName, Place
from rymi_server.speech_engines.promises import Ear, Vocabulary, Voice
from rymi_server.speech_engines.readiness import Equipment, EquipmentReadiness
from rymi_server.speech_engines.sphinx.ear import SphinxEar, sphinx_worker
from rymi_server.speech_engines.workers.process import WorkerProcess

_MOST_THINKING_S: Final = 8.0

Made = TypeVar("Made")


class InstalledEngines:
    """All that this process can speak and hear with. One worker of each kind serves all of its calls."""

    def __init__(self, equipment: Equipment, defaults: Defaults | None = None) -> None:
        self._equipment = equipment
        self._defaults = defaults or Defaults()
        self._readiness = EquipmentReadiness(equipment)
        self._espeak = espeak_worker()
        self._sphinx = sphinx_worker()
        self._workers: dict[str, WorkerProcess] = {}
        self._access = Access(equipment.keys, equipment.trusted_hosts)

    async def warm(self) -> None:
        """Start what needs nothing, so that the first call does not wait for it."""
        await self._espeak.start()
        await self._sphinx.start()

    def start_early(self) -> None:
        """As `warm`, before there is an event loop. What no agent hears with by default is not started for all."""
        self._espeak.start_early()
        if self._defaults.ear == "pocketsphinx":
            self._sphinx.start_early()
        load_plugins(self._equipment, self._defaults)

    def ear(self, agent: Mapping[str, Any], *, on_phone: bool = False, report: Report = unheard) -> Ear:
        """Raise `EngineNotReady`, `EngineFailed`, `UnknownEngine`."""
        names = self._ready(self._wanted(agent, on_phone).ears, report)
        language = str(agent.get("language") or "en")
        if names[0].engine == "pocketsphinx" and not language.lower().startswith("en"):
            report(
                f"pocketsphinx hears English only, and this agent's language is {language}: name another recogniser."
            )
        return EarChain(_each(self._ear, names, report), report)

    def voice(self, agent: Mapping[str, Any], *, on_phone: bool = False, report: Report = unheard) -> Voice:
        language = str(agent.get("language") or "en-US")
        names = self._ready(self._wanted(agent, on_phone).voices, report)
        return VoiceChain(_each(lambda name: self._voice(name, language), names, report), report)

    def mind(self, agent: Mapping[str, Any], *, report: Report = unheard) -> llm.LLM[Any] | None:
        """The language model that the agent thinks with; None where its playbook is enough."""
        wanted = self._ready(self._wanted(agent, on_phone=False).minds, report)
        if not wanted:
            return None
        manner = manner_of(agent)
        minds = _each(lambda name: thinker(name, self._access, manner), wanted, report)
        return minds[0] if len(minds) == 1 else llm.FallbackAdapter(minds, attempt_timeout=_MOST_THINKING_S)

    async def aclose(self) -> None:
        for worker in (self._espeak, self._sphinx, *self._workers.values()):
            await worker.aclose()
        self._workers.clear()
        await self._access.aclose()

    def _wanted(self, agent: Mapping[str, Any], on_phone: bool) -> Wanted:
        return wanted_by(agent, self._defaults, demo_may_step_in=not on_phone)

    def _ready(self, names: tuple[EngineName, ...], report: Report) -> list[EngineName]:
        """Those that can run. What was ready when the call was accepted may be missing on this very machine."""
        missing = {name: self._readiness.missing([str(name)]) for name in names}
        ready = [name for name, why in missing.items() if not why]
        lines = [line for why in missing.values() for line in why]
        if names and not ready:
            raise EngineNotReady(lines)
        for line in lines:
            report(line)
        return ready

    def _ear(self, name: EngineName) -> Ear:
        if name.engine == "pocketsphinx":
            return SphinxEar([self._sphinx])
        if name.entry.place is Place.LOCAL:
            return local_ear(name, self._equipment.models_folder, self._worker)
        access = self._access
        # Made once to see what it can, and once for each person with the words that they are expected to say.
        plugin = recogniser(name, access, Vocabulary())

        def new(vocabulary: Vocabulary) -> Any:
            return recogniser(name, access, vocabulary)

        if plugin.capabilities.streaming:
            return StreamingEar(str(name), plugin, new)
        return BatchEar(str(name), plugin, new)

    def _voice(self, name: EngineName, language: str) -> Voice:
        if name.engine == "espeak":
            return EspeakVoice(self._espeak, name.model or "en-us")
        if name.entry.place is Place.LOCAL:
            return local_voice(name, self._equipment.models_folder, self._worker)
        if name.engine == "rymi":
            return OwnVoice(str(name), name.url, name.voice, self._access.http)
        return PluginVoice(str(name), speaker(name, self._access, language))

    def _worker(self, name: str, new: Callable[[], WorkerProcess]) -> WorkerProcess:
        """A model is loaded once in a process, by the first call that needs it."""
        if name not in self._workers:
            self._workers[name] = new()
        return self._workers[name]


def _each(make: Callable[[EngineName], Made], names: Sequence[EngineName], report: Report) -> list[Made]:
    """Those that can be made. Raise the last failure where none can."""
    made: list[Made] = []
    failure: EngineFailed | None = None
    for name in names:
        try:
            made.append(make(name))
        except EngineFailed as error:
            failure = error
            report(error.message)
    if failure is not None and not made:
        raise failure
    return made
