"""Adds jobs inside the caller's transaction: no worker sees them before it commits, and rolled back they never were.

`bullmq.add_job` and `bullmq.add_jobs_bulk` are the functions that BullMQ's own clients call.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import new_prefixed
from rymi_server.foundation.rows import Called, write
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.trail import with_trail

_ADD_ONE = (
    "bullmq.add_job(:queue, :id, :name, cast(:data as jsonb), cast(:options as jsonb), 0, :delay, :now,"
    " :attempts, null, null, null, null, null, false)"
)
_ADD_MANY = "(select count(*) from bullmq.add_jobs_bulk(:queue, cast(:entries as jsonb)))"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to add. An id that was used before makes it a repeat, which is not added again."""

    data: Mapping[str, Any]
    id: str = field(default_factory=lambda: new_prefixed("job"))


async def enqueue(tx: Transaction, kind: JobKind, job: NewJob, *, delay_ms: int = 0) -> str:
    """Add one job and return its id."""
    await write(tx, _one(kind, job, delay_ms))
    return job.id


async def enqueue_many(tx: Transaction, kind: JobKind, jobs: Sequence[NewJob]) -> None:
    """Add all `jobs` in one statement."""
    await write(tx, *adding(kind, jobs))


def adding(kind: JobKind, jobs: Sequence[NewJob]) -> tuple[Called, ...]:
    """What adds `jobs`, to be written together with that which they are about."""
    if not jobs:
        return ()
    return (_one(kind, jobs[0], delay_ms=0) if len(jobs) == 1 else _many(kind, jobs),)


def _one(kind: JobKind, job: NewJob, delay_ms: int) -> Called:
    return Called(
        _ADD_ONE,
        {
            "queue": kind.queue,
            "id": job.id,
            "name": kind.name,
            "data": json.dumps(with_trail(job.data)),
            "options": json.dumps({**kind.options(), "jobId": job.id}),
            "delay": delay_ms,
            "now": _now_ms(),
            "attempts": kind.attempts,
        },
    )


def _many(kind: JobKind, jobs: Sequence[NewJob]) -> Called:
    options, now = kind.options(), _now_ms()
    entries = [
        {
            "id": job.id,
            "name": kind.name,
            "data": with_trail(job.data),
            "opts": {**options, "jobId": job.id},
            "timestamp": now,
            "attempts": kind.attempts,
        }
        for job in jobs
    ]
    return Called(_ADD_MANY, {"queue": kind.queue, "entries": json.dumps(entries)})


def _now_ms() -> int:
    return int(time.time() * 1000)
