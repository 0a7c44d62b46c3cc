"""Who plays in a call: engines by their names, the mind and the manners, all from the agent as it was frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.session.call import Cast
from rymi_server.runtime.session.manners import manners_of
from rymi_server.runtime.session.minds import ResponderMind
from rymi_server.runtime.thinking.playbook_responder import CALLER_PHONE, PlaybookResponder
from rymi_server.runtime.thinking.replies import Responder
from rymi_server.runtime.thinking.templates import fill
from rymi_server.runtime.thinking.variables import values_of
from rymi_server.runtime.thinking.vocabulary import vocabulary_of
from rymi_server.runtime.turn_taking.choosing import detector_for
from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.modes import mode_named, overrides_of
from rymi_server.runtime.turn_taking.scores import Scores
from rymi_server.speech_engines.promises import Ear, Voice


class Engines(Protocol):
    """The speech engines of a process. What one call opens is closed with that call."""

    def ear(self, agent: Mapping[str, Any]) -> Ear: ...

    def voice(self, agent: Mapping[str, Any]) -> Voice: ...

    async def aclose(self) -> None:
        """They start again when they are needed again."""
        ...


@dataclass(frozen=True, slots=True)
class Casting:
    engines: Engines
    scores: Scores
    now: Callable[[], datetime]

    def cast(self, briefing: Briefing) -> Cast:
        agent = briefing.agent
        ear = self.engines.ear(agent)
        known = values_of(agent.get("variables") or (), briefing.variables, briefing.metadata).by_name
        # Who calls from a phone need not be asked for a number to be called back on.
        phones = [person.identity for person in briefing.people if person.transport == "pstn"]
        values = {**({CALLER_PHONE: phones[0]} if len(phones) == 1 else {}), **known}
        manners = manners_of(agent, fill(_end_message(agent), values).text)
        mode, overrides = _turn_taking(agent)

        def responder(memory: dict[str, Any] | None) -> Responder:
            return PlaybookResponder.for_agent(agent, values, now=self.now, remembered=memory)

        def detector() -> Detector:
            language = str(agent.get("language") or "en")
            return detector_for(mode, overrides, self.scores, ear=ear.abilities, language=language)

        return Cast(
            ear=ear,
            voice=self.engines.voice(agent),
            new_detector=detector,
            mind=ResponderMind(responder, briefing.memory),
            manners=manners,
            vocabulary=vocabulary_of(agent, values),
        )


def _turn_taking(agent: Mapping[str, Any]) -> tuple[Any, Any]:
    advanced = agent.get("advanced")
    advanced = advanced if isinstance(advanced, Mapping) else {}
    return mode_named(advanced.get("turnDetectorMode")), overrides_of(advanced)


def _end_message(agent: Mapping[str, Any]) -> str:
    playbook = agent.get("playbook")
    message = playbook.get("endCallMessage") if isinstance(playbook, Mapping) else None
    return message if isinstance(message, str) else ""
