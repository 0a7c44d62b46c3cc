"""What the hub tells of the people. Times are milliseconds on the call's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rymi_server.runtime.turn_taking.signals import EngineUsed


@dataclass(frozen=True, slots=True)
class Utterance:
    """Some words of one person. `labelled` names the speaker once more than one is known."""

    identity: str
    segment_id: str
    text: str
    labelled: str
    started_at_ms: int
    ended_at_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FloorOpened:
    identity: str
    spoken_ms: int


@dataclass(frozen=True, slots=True)
class StillSpeaking:
    identity: str
    spoken_ms: int


@dataclass(frozen=True, slots=True)
class FloorClosed:
    silence_ms: int


@dataclass(frozen=True, slots=True)
class SpeakingChanged:
    identity: str
    speaking: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class DraftHeard:
    """Words that may still change."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class GuessHeard:
    """The speaker pauses; should they have ended, these were their words."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """Final words. `counts` is False for those that only show that somebody listens."""

    utterance: Utterance
    counts: bool


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """Somebody said something, of which no word is to be believed."""

    identity: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The detector holds somebody's turn for ended, and why."""

    identity: str
    used: EngineUsed
    started_at_ms: int
    speech_ended_at_ms: int
    decided_at_ms: int
    why: str
    hang_ms: int
    hang_reason: str
    trace: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BargedIn:
    """Somebody began to speak over the agent."""

    identity: str
    at_ms: int


Happening = (
    FloorOpened
    | StillSpeaking
    | FloorClosed
    | SpeakingChanged
    | DraftHeard
    | GuessHeard
    | WordsHeard
    | NotUnderstood
    | TurnEnded
    | BargedIn
)
