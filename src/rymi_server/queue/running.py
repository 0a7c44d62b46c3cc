"""Runs jobs: one BullMQ worker a queue, with the settings that this version of BullMQ needs.

Every queue delivers at least once. What a job does must therefore be harmless when it is done twice.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from bullmq import Job, Queue, Worker
from bullmq.custom_errors import DelayedError, UnrecoverableError

from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Refused, Unavailable
from rymi_server.queue.bell import Bell
from rymi_server.queue.facts import Listeners
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.later import Later
from rymi_server.queue.quiet_worker import QuietWorker
from rymi_server.queue.trail import following

log = structlog.get_logger(__name__)

Work: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]

_SETTINGS = {
    # PostgreSQL tells of every job at once; this is for what it could not tell.
    "drainDelay": 30,
    "lockDuration": 30_000,
    "stalledInterval": 15_000,
    "maxStalledCount": 3,
    "runRetryDelay": 1_000,
}


_LOOPS_END_WITHIN_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job that runs every `every_ms`, once in the whole installation."""

    kind: JobKind
    every_ms: int


def in_transaction(database: Database, work: Callable[[Transaction, Mapping[str, Any]], Awaitable[None]]) -> Work:
    """`work` as a job that is one transaction."""

    async def run(data: Mapping[str, Any]) -> None:
        async with database.transaction() as tx:
            await work(tx, data)

    return run


def hearing(database: Database, listeners: Listeners) -> dict[JobKind, Work]:
    """Facts as jobs: all listeners of a fact hear it in one transaction."""

    def job_for(fact_type: type[Any]) -> Work:
        async def tell(data: Mapping[str, Any]) -> None:
            async with database.transaction() as tx:
                for listener in listeners[fact_type]:
                    await listener(tx, fact_type(**data))

        return tell

    return {fact_type.kind(): job_for(fact_type) for fact_type in listeners}


class JobRunner:
    """Runs the given kinds of jobs until it is closed."""

    def __init__(
        self,
        libpq_url: str,
        work: Mapping[JobKind, Work],
        *,
        recurring: tuple[Recurring, ...] = (),
        concurrency: Mapping[str, int] | None = None,
        settings: Mapping[str, int] | None = None,
    ) -> None:
        self._connection = {"backend": "postgres", "connection": libpq_url}
        self._work = {(kind.queue, kind.name): work for kind, work in work.items()}
        self._recurring = recurring
        self._concurrency = concurrency or {}
        self._settings = {**_SETTINGS, **(settings or {})}
        self._workers: list[Worker] = []
        self._bell = Bell(libpq_url)
        self._closing = asyncio.Event()
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Work until `close` is called. Raise if a queue's worker ends before that: a supervisor should see it."""
        await self._schedule()
        if self._closing.is_set():  # It was closed before it had anything to close.
            return
        for queue in sorted({queue for queue, _ in self._work}):
            self._workers.append(self._worker(queue))
        listening = asyncio.create_task(self._bell.listen())
        running = [asyncio.create_task(worker.run()) for worker in self._workers]
        closed = asyncio.create_task(self._closed.wait())
        try:
            done, _ = await asyncio.wait([listening, *running, closed], return_when=asyncio.FIRST_COMPLETED)
            if not self._closing.is_set():
                for task in done:
                    task.result()
                raise RuntimeError("A queue's worker ended by itself.")
            await self._closed.wait()
            # All jobs are finished. A loop that goes on looking for more has missed that it was closed.
            await asyncio.wait(running, timeout=_LOOPS_END_WITHIN_SECONDS)
        finally:
            for task in (listening, *running, closed):
                task.cancel()
            await asyncio.gather(listening, closed, *running, return_exceptions=True)
            # Such a loop has opened its connection again.
            for worker in self._workers:
                await worker.backend.close(force=True)

    async def close(self) -> None:
        """Take no further job, finish those that run, and return."""
        self._closing.set()
        await asyncio.gather(*(worker.close() for worker in self._workers))
        self._closed.set()

    async def _schedule(self) -> None:
        for queue_name in {recurring.kind.queue for recurring in self._recurring}:
            queue = Queue(queue_name, dict(self._connection))
            try:
                for recurring in self._recurring:
                    if recurring.kind.queue == queue_name:
                        every = {"every": recurring.every_ms}
                        name = recurring.kind.name
                        await queue.upsertJobScheduler(name, every, name, {}, recurring.kind.options())
            finally:
                await queue.close()

    def _worker(self, queue: str) -> Worker:
        async def process(job: Job, token: str) -> None:
            await self._process(queue, job, token)

        worker = QuietWorker(
            queue,
            process,
            {
                **self._connection,
                **self._settings,
                "concurrency": self._concurrency.get(queue, 10),
                "autorun": False,
            },
            self._bell,
        )
        worker.on("error", lambda error, *_: log.warning("queue_worker_error", queue=queue, error=str(error)))
        return worker

    async def _process(self, queue: str, job: Job, token: str) -> None:
        work = self._work.get((queue, job.name))
        if work is None:
            raise UnrecoverableError(f"Nobody does {job.name} in {queue}.")
        fields = {key: job.data[key] for key in ("call_id", "tenant_id") if key in job.data}
        with structlog.contextvars.bound_contextvars(job=job.name, job_id=job.id, **fields):
            try:
                with following(job.data) as data:
                    await work(data)
            except Later as later:
                await job.moveToDelayed(int(time.time() * 1000) + later.delay_ms, token)
                raise DelayedError from later
            except Refused as refused:
                log.warning("job_refused", code=refused.code)
                raise UnrecoverableError(refused.message) from refused
            except Unavailable as unavailable:
                log.warning("job_unavailable", code=unavailable.code, retryable=unavailable.retryable)
                if unavailable.retryable:
                    raise
                raise UnrecoverableError(unavailable.message) from unavailable
            except Exception:
                # A bug, or PostgreSQL going away. BullMQ counts the attempt and tries again where the kind allows it.
                log.exception("job_failed", attempt=job.attemptsMade + 1)
                raise
