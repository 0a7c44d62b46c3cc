"""What a job is called, where it waits, and how it is tried again."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

KEEP_FINISHED = {"age": int(timedelta(days=7).total_seconds()), "count": 10_000}


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
        """BullMQ's options for a job of this kind."""
        options: dict[str, Any] = {
            "attempts": self.attempts,
            "removeOnComplete": KEEP_FINISHED,
            "removeOnFail": KEEP_FINISHED,
        }
        if self.backoff:
            options["backoff"] = {"type": "exponential", "delay": self.backoff.first_ms}
        return options
