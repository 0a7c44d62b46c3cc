"""What a job is called, where it waits, and how it is tried again."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Backoff:
    """The wait before each further attempt: doubled every time."""

    first_ms: int


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of work. Queues are few, because each costs every worker process two connections."""

    queue: str
    name: str
    attempts: int = 1
    backoff: Backoff | None = None

    def options(self) -> dict[str, Any]:
        """BullMQ's options for a job of this kind. That finished ones are kept is its own default."""
        options: dict[str, Any] = {"attempts": self.attempts}
        if self.backoff:
            options["backoff"] = {"type": "exponential", "delay": self.backoff.first_ms}
        return options
