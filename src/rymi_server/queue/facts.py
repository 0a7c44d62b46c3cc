"""Facts: what has happened, told to whoever is concerned.

A fact is published in the transaction of the change that it reports and reaches its listeners as a job, once that
transaction has committed. The publisher names no listener; `entrypoints` ties facts to listeners.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, TypeAlias

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.rows import Called, write
from rymi_server.queue.enqueue import NewJob, adding
from rymi_server.queue.kinds import Backoff, JobKind

QUEUE = "facts"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that has happened. Subclasses hold only strings, numbers and None, because a fact travels as JSON."""

    attempts: ClassVar[int] = 10

    @classmethod
    def kind(cls) -> JobKind:
        return JobKind(QUEUE, cls.__name__, attempts=cls.attempts, backoff=Backoff(first_ms=500))


Listener: TypeAlias = Callable[[Transaction, Any], Awaitable[None]]
Listeners: TypeAlias = Mapping[type[Fact], Sequence[Listener]]


async def publish(tx: Transaction, fact: Fact) -> None:
    await write(tx, *publishing(fact))


def publishing(fact: Fact) -> tuple[Called, ...]:
    """What publishes `fact`, to be written together with that which it tells."""
    return adding(fact.kind(), [NewJob(asdict(fact))])
