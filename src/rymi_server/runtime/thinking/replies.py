"""What an answer consists of, whoever thinks it up."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rymi_server.speech_engines.promises import Expected


@dataclass(frozen=True, slots=True)
class Heard:
    """One person's words in a turn. A turn has several where people spoke over one another."""

    identity: str
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """To be spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class EndCall:
    """Say goodbye with `farewell`, then leave."""

    reason: str
    farewell: str = ""


@dataclass(frozen=True, slots=True)
class HandOff:
    """A human is to take over."""

    briefing: str
    to: str | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """This person does not want to be called again."""

    identity: str


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Of a phone's keypad, for whoever listens at the other end of a phone line."""

    keys: str


@dataclass(frozen=True, slots=True)
class UseTool:
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


Step = Words | EndCall | HandOff | OptOut | PressKeys | UseTool


class Responder(Protocol):
    """A conversation's mind. Its memory is plain JSON, so that it can be replayed and handed to a successor."""

    @property
    def opener(self) -> str | None:
        """What to greet with; None where the caller speaks first."""
        ...

    @property
    def expected(self) -> Expected | None:
        """What was just asked for."""
        ...

    def memory(self) -> dict[str, Any]: ...

    def respond(self, turn: Sequence[Heard]) -> AsyncIterator[Step]:
        """The answer to a turn. Closing the iterator before its end takes the turn back, as if it was not heard."""
        ...

    def silence(self, prompts_so_far: int) -> str | None:
        """What to say to somebody who says nothing, or None to say nothing."""
        ...

    def not_understood(self, times_before: int) -> str:
        """What to say to somebody of whom no word was understood."""
        ...
