"""What an engine that hears, and one that speaks, must do for a call."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

HEARING_RATE = 16_000
FRAME_MS = 20


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    confidence: float | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What an utterance was; empty text where nothing in it was speech. Word times count from the stream's start."""

    text: str
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the agent has just asked for: `kind` is yes_no, digits, phone, email, name, date, time or choice."""

    kind: str
    choices: tuple[str, ...] = ()
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a caller of the engine has to know about it."""

    name: str
    quality: str = "production"  # or "demo"
    gives_drafts: bool = True
    gives_turn_ends: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What this agent talks about, and how its callers' words are to be written, for engines that can be told."""

    language: str = "en-US"
    phrases: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    # None leaves it to the engine.
    numerals: bool | None = None
    masks_profanity: bool | None = None


@dataclass(frozen=True, slots=True)
class Listeners:
    """Told from the event loop while a stream is open."""

    on_draft: Callable[[str], None] = field(default=lambda _: None)
    # For engines with `gives_turn_ends`: True when speech has begun, False when the engine holds the turn for ended.
    on_boundary: Callable[[bool], None] = field(default=lambda _: None)


class EarStream(Protocol):
    """One person's audio, 16 kHz, 16 bit, mono, in frames of 20 ms."""

    def push(self, pcm: bytes) -> None:
        """Never blocks, and keeps a bounded amount."""
        ...

    async def finish_utterance(self) -> Heard:
        """Exactly one result for everything since the last one, perhaps an empty one. Raise `EngineFailed`."""
        ...

    def drop_utterance(self) -> None:
        """What came since the last result was no speech: forget it."""
        ...

    def expect(self, expected: Expected | None) -> None: ...

    async def aclose(self) -> None: ...


class Ear(Protocol):
    @property
    def abilities(self) -> Abilities: ...

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> EarStream:
        """A stream for one person. Raise `EngineFailed`."""
        ...

    async def aclose(self) -> None: ...


class Voice(Protocol):
    @property
    def abilities(self) -> Abilities: ...

    @property
    def sample_rate(self) -> int: ...

    def speak(self, text: str) -> AsyncGenerator[bytes]:
        """16 bit mono as it is made, never nothing. Closing the iterator stops the engine. Raise `EngineFailed`."""
        ...

    async def aclose(self) -> None: ...


class Readiness(Protocol):
    """Asked before a call is accepted, never during one."""

    def missing(self, names: Sequence[str]) -> list[str]:
        """What stands in the way of these engines, each with what mends it; nothing when all are ready."""
        ...
