"""When people take the word from the agent: whether they may, with how much speech or how many words, and what then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rymi_server.runtime.turn_taking.modes import milliseconds

_SPEECH_MS: Final = (20, 3_000)
# A whole number up to here counts words, any other is a time.
_MOST_WORDS: Final = 10


@dataclass(frozen=True, slots=True)
class Interruption:
    """Where an author asks for nothing, the agent pauses for any speech, and any word with a meaning takes over."""

    allowed: bool = True
    # Whether the agent goes on with its sentence after what was no interruption.
    resumes: bool = True
    speech_ms: int = 0
    words: int = 1

    def takes(self, spoken_ms: int, words: int) -> bool:
        """Whether so much, said over the agent, takes the word from it."""
        return spoken_ms >= self.speech_ms and words >= self.words


def interruption_of(agent: Mapping[str, Any]) -> Interruption:
    """What is no switch and no number there says nothing."""
    advanced, voice = _object(agent, "advanced"), _object(_object(agent, "persona"), "voiceConfig")
    threshold = advanced.get("stopSpeakingThreshold")
    counts = isinstance(threshold, int) and not isinstance(threshold, bool) and 1 <= threshold <= _MOST_WORDS
    speech_ms = None if counts else milliseconds(threshold)
    return Interruption(
        allowed=voice.get("bargeInEnabled") is not False,
        resumes=advanced.get("resumeAfterInterruption") is not False,
        speech_ms=max(_SPEECH_MS[0], min(speech_ms, _SPEECH_MS[1])) if speech_ms else 0,
        words=threshold if counts and isinstance(threshold, int) else 1,
    )


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    return value if isinstance(value, Mapping) else {}
