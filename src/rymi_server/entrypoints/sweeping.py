"""What is looked after again and again, whoever has crashed meanwhile: once in the whole installation at a time."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import sqlalchemy as sa

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.calls import tally
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.http.idempotency import forget_old_answers
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.retention import forget_finished
from rymi_server.queue.running import Recurring, Work
from rymi_server.quotas.requests import forget_old_windows

QUEUE = "periodic"
_TURN = sa.text("select pg_try_advisory_xact_lock(hashtextextended('sweep:' || :name, 0))")

Sweep: TypeAlias = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DueSweep:
    """A sweep by its name, and how often it is due."""

    name: str
    every: timedelta
    sweep: Sweep


@dataclass(frozen=True, slots=True)
class Sweeps:
    """Each sweep by its kind of job, and when it is due."""

    work: Mapping[JobKind, Work]
    recurring: tuple[Recurring, ...]


def sweeps_of(database: Database, clock: Clock, join_timeouts: JoinTimeouts, more: Sequence[DueSweep] = ()) -> Sweeps:
    async def late_joiners(_: Transaction) -> None:
        await join_timeouts.sweep()

    async def old_windows(tx: Transaction) -> None:
        await forget_old_windows(tx, clock.now())

    async def old_answers(tx: Transaction) -> None:
        await forget_old_answers(tx, clock.now())

    async def finished_jobs(tx: Transaction) -> None:
        await forget_finished(tx, clock.now())

    table = [
        DueSweep("join_timeouts", timedelta(seconds=10), late_joiners),
        DueSweep("fold_tally", timedelta(seconds=10), tally.fold),
        DueSweep("forget_old_windows", timedelta(minutes=10), old_windows),
        DueSweep("forget_old_answers", timedelta(minutes=10), old_answers),
        DueSweep("forget_finished_jobs", timedelta(minutes=5), finished_jobs),
        *more,
    ]
    kinds = {due.name: JobKind(QUEUE, due.name) for due in table}
    return Sweeps(
        work={kinds[due.name]: one_at_a_time(database, due.name, due.sweep) for due in table},
        recurring=tuple(Recurring(kinds[due.name], int(due.every.total_seconds() * 1000)) for due in table),
    )


def one_at_a_time(database: Database, name: str, sweep: Sweep) -> Work:
    """`sweep` as a job that does nothing while another worker is at it.

    A sweep that opens transactions of its own only holds the turn with the one it is given.
    """

    async def run(_: Mapping[str, Any]) -> None:
        async with database.transaction() as tx:
            if (await tx.execute(_TURN, {"name": name})).scalar_one():
                await sweep(tx)

    return run
