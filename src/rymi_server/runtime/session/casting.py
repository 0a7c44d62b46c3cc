"""Who plays in a call: engines by their names, the mind and the manners, all from the agent as it was frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from livekit.agents import llm

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.hearing.tap import Cleaner, as_it_is
from rymi_server.runtime.session.cast import Cast
from rymi_server.runtime.session.denoising import Denoiser
from rymi_server.runtime.session.manners import Manners, manners_of
from rymi_server.runtime.session.minds import ResponderMind
from rymi_server.runtime.session.model_mind import ModelMind
from rymi_server.runtime.thinking.guardrails import Guardrails
from rymi_server.runtime.thinking.playbook import read_playbook
from rymi_server.runtime.thinking.playbook_responder import CALLER_PHONE, PlaybookResponder
from rymi_server.runtime.thinking.prompts import compile_prompt
from rymi_server.runtime.thinking.reading import mapping, mappings
from rymi_server.runtime.thinking.replies import Responder
from rymi_server.runtime.thinking.templates import fill
from rymi_server.runtime.thinking.tools import ToolExecutor, tools_of
from rymi_server.runtime.thinking.turn_marks import turn_completion_of
from rymi_server.runtime.thinking.variables import values_of
from rymi_server.runtime.thinking.vocabulary import vocabulary_of
from rymi_server.runtime.turn_taking.choosing import detector_for
from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.interruption import interruption_of
from rymi_server.runtime.turn_taking.modes import mode_named, overrides_of
from rymi_server.runtime.turn_taking.scores import Scores
from rymi_server.speech_engines.promises import Ear, Voice

Report = Callable[[str], None]
_HUMANS_PHONES = frozenset({"pstn", "sip"})


class Engines(Protocol):
    """The engines of a process. What one call opens is closed with that call. They raise `EngineNotReady`."""

    def ear(self, agent: Mapping[str, Any], *, on_phone: bool, report: Report) -> Ear: ...

    def voice(self, agent: Mapping[str, Any], *, on_phone: bool, report: Report) -> Voice: ...

    def mind(self, agent: Mapping[str, Any], *, report: Report) -> llm.LLM[Any] | None: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Casting:
    engines: Engines
    scores: Scores
    tools: ToolExecutor
    now: Callable[[], datetime]

    def cast(self, briefing: Briefing, report: Report) -> Cast:
        """`report` is told what stands in for what. Raise `EngineNotReady`, `EngineFailed`, `UnknownEngine`."""
        agent = briefing.agent
        on_phone = any(person.transport in _HUMANS_PHONES for person in briefing.people)
        values = values_of(mappings(agent.get("variables")), briefing.variables, briefing.metadata)
        if values.missing:
            report(f"Variables without a value: {', '.join(values.missing)}.")
        # Who calls from a phone need not be asked for a number to be called back on.
        phones = [person.identity for person in briefing.people if person.transport == "pstn"]
        by_name = {**({CALLER_PHONE: phones[0]} if len(phones) == 1 else {}), **values.by_name}
        manners = manners_of(agent, fill(_end_message(agent), by_name).text)
        ear = self.engines.ear(agent, on_phone=on_phone, report=report)
        cast = Cast(
            ear=ear,
            voice=self.engines.voice(agent, on_phone=on_phone, report=report),
            new_detector=self._detectors(agent, ear),
            mind=self._responder(agent, by_name, briefing),
            manners=manners,
            vocabulary=vocabulary_of(agent, by_name),
            # What writes must not be done for words that were only guessed.
            guesses=not any(tool.http and tool.writes for tool in tools_of(agent).available),
            interruption=interruption_of(agent),
            sure_from=_sure_from(agent),
            new_cleaner=_cleaner(agent),
        )
        model = self.engines.mind(agent, report=report)
        if model is not None:
            return self._with_model(cast, model, agent, by_name, manners, report)
        if unknown := read_playbook(agent, by_name)[1]:
            report(f"The playbook names variables without a value: {', '.join(unknown)}.")
        return cast

    def _detectors(self, agent: Mapping[str, Any], ear: Ear) -> Callable[[], Detector]:
        advanced = mapping(agent, "advanced")
        mode, overrides = mode_named(advanced.get("turnDetectorMode")), overrides_of(advanced)
        language = str(agent.get("language") or "en")
        return lambda: detector_for(mode, overrides, self.scores, ear=ear.abilities, language=language)

    def _responder(self, agent: Mapping[str, Any], values: dict[str, Any], briefing: Briefing) -> ResponderMind:
        def make(memory: dict[str, Any] | None) -> Responder:
            return PlaybookResponder.for_agent(agent, values, now=self.now, remembered=memory, executor=self.tools)

        return ResponderMind(make, briefing.memory)

    def _with_model(
        self,
        cast: Cast,
        model: llm.LLM[Any],
        agent: Mapping[str, Any],
        values: dict[str, Any],
        manners: Manners,
        report: Report,
    ) -> Cast:
        prompt = compile_prompt(agent, values)
        if prompt.missing:
            report(f"The prompt names variables without a value: {', '.join(prompt.missing)}.")
        playbook, _ = read_playbook(agent, values)
        language = str(agent.get("language") or "en-US")
        rules, completion = Guardrails.for_agent(agent), turn_completion_of(agent)
        mind = ModelMind(model, playbook.opener or None, rules, language, manners.greets, completion)
        tools = tuple(mind.functions(tools_of(agent).available, self.tools))
        return replace(cast, mind=mind, instructions=prompt.text, tools=tools)


def _cleaner(agent: Mapping[str, Any]) -> Callable[[], Cleaner]:
    return Denoiser if mapping(agent, "advanced").get("stt_background_denoising") is True else lambda: as_it_is


def _sure_from(agent: Mapping[str, Any]) -> float:
    """What is no number says nothing."""
    value = mapping(agent, "advanced").get("stt_confidence_threshold")
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _end_message(agent: Mapping[str, Any]) -> str:
    message = mapping(agent, "playbook").get("endCallMessage")
    return message if isinstance(message, str) else ""
