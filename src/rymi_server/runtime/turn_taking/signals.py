"""What a turn detector says, 20 ms by 20 ms, and what it is told."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rymi_server.speech_engines.promises import Expected


class Mode(StrEnum):
    STEADY = "steady"
    BALANCED = "balanced"
    SENSITIVE = "sensitive"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class EngineUsed:
    """Which engine really judges, and whether it stands in for the one that the mode asks for."""

    mode: Mode
    engine: str
    fallback: bool


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody speaks. `spoken_ms` of speech have passed already when this is known."""

    at_ms: int
    spoken_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over. `why` is silence, provider, too_long or gone; `hang_ms` is the silence that was waited for."""

    at_ms: int
    speech_ended_at_ms: int
    why: str
    hang_ms: int
    hang_reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """What began was too short to be a turn."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The speaker has been silent long enough to begin an answer, not yet long enough to give it.

    It is said again in the same pause where the recogniser has changed its mind about the words.
    """

    at_ms: int


Signal = Began | Ended | Dropped | Paused


class TurnDetector(Protocol):
    """One person's turns. Time is counted in the frames that it was fed."""

    @property
    def used(self) -> EngineUsed: ...

    @property
    def speaking(self) -> bool: ...

    def push(self, frame: bytes) -> list[Signal]:
        """20 ms of 16 kHz mono."""
        ...

    def hear_draft(self, text: str) -> None:
        """What the words are so far: they decide how long to wait."""
        ...

    def hear_boundary(self, began: bool) -> None:
        """The recogniser's own signal, for the provider mode."""
        ...

    def expect(self, expected: Expected | None) -> None:
        """What was just asked for shifts when an answer sounds complete."""
        ...

    def trace(self) -> dict[str, float | str]:
        """Score, level, noise, hang and the like, as they stand: why it decided as it did."""
        ...
