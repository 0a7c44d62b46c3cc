"""BullMQ's worker on PostgreSQL, but that it asks PostgreSQL little and ends no connection that is in use.

What this version of BullMQ does otherwise is said at each part.
"""

import asyncio
import functools
import re
import time
from typing import Any, TypeAlias

import psycopg
import structlog
from bullmq import Job, Worker
from bullmq.backends import PostgresBackend
from bullmq.backends.postgres_connection import PgResult, PostgresConnection

from rymi_server.queue.bell import Bell

log = structlog.get_logger(__name__)

_STATEMENT_ENDS_WITHIN_SECONDS = 5
# Whether a job waits and when the next delayed one is due, asked at once.
_LOOK = """
    select exists(select 1 from job where queue = $1 and state = 'waiting')
       and not exists(select 1 from meta where queue = $1 and field = 'paused' and value = '1') as waiting,
           next_delay($1) as due
"""
_PARAMETER = re.compile(r"\$(\d+)")
_COMMENT = re.compile(r"--[^\n]*")
# The channel, the queue, and since when there is something to do: 0 for now.
_Marker: TypeAlias = list[Any]


class QuietWorker(Worker):  # type: ignore[misc]  # BullMQ has no types.
    """Asks for one job at a time, and for the next one in the statement that completes one.

    BullMQ's worker asks once for each job that it could still take, all at once and after every job: forty questions to
    PostgreSQL for one delivery.
    """

    def __init__(self, queue: str, process: Any, options: dict[str, Any], bell: Bell) -> None:
        super().__init__(queue, process, options)
        self.backend = _Backend(queue, PatientConnection(options), bell)
        self._turn = asyncio.Lock()

    async def getNextJob(self, token: str) -> Job | None:  # noqa: N802 (the name is BullMQ's)
        async with self._turn:
            if self.closing:
                return None
            self.backend.was_told = False
            try:
                job = await super().getNextJob(token)
            except psycopg.Error:
                if self.closing:
                    return None
                raise
            if job and self.backend.was_told:
                # Most likely it was this one. To look for more is cheaper than to ask for a job that there is not.
                self.drained = True
        return await self._unless_closing(job)

    async def processJob(self, job: Job, token: str) -> Job | None:  # noqa: N802 (the name is BullMQ's)
        """Return the job that is to be processed next, which BullMQ's loop takes from here as from `getNextJob`."""
        await super().processJob(job, token)
        found = self.backend.next_jobs.pop(job.id, None)
        return await self._unless_closing(await self.nextJobFromJobData(*found, token) if found else None)

    async def close(self, force: bool = False) -> None:
        self.backend.takes_next = False
        await super().close(force)

    async def _unless_closing(self, job: Job | None) -> Job | None:
        """The job. One that was taken just when the worker was closed is done here, where that is waited for."""
        if job is None or not self.closing:
            return job
        return await self.processJob(job, job.token)


class PatientConnection(PostgresConnection):  # type: ignore[misc]  # BullMQ has no types.
    """Waits for the statement that runs before it closes, and stays closed.

    BullMQ closes the connection under it where a job ends just then, and psycopg reads on in memory that is freed. A
    loop that has missed that its worker was closed would connect again, and nobody would close that.
    """

    _is_closed = False

    def __init__(self, options: dict[str, Any]) -> None:
        super().__init__(options)
        # What a crash of PostgreSQL forgets of a job's progress makes the job run twice, which jobs are made for. What
        # the job itself wrote is not forgotten, nor that it was added.
        self._options += " -c synchronous_commit=off"

    async def run(self, sql: str, params: list[Any]) -> PgResult:
        """As BullMQ, which takes every statement apart again each time, and builds descriptions of all its columns."""
        if not self._ready:
            await self.wait_until_ready()
        query, order = _taken_apart(sql)
        async with self._conn_lock:
            connection = await self._get_conn()
            cursor = await connection.execute(query, [params[position] for position in order])
            result = cursor.pgresult
            if result is None or not result.nfields:
                return PgResult([], [], cursor.rowcount)
            columns = [(result.fname(number) or b"").decode() for number in range(result.nfields)]
            return PgResult(columns, await cursor.fetchall(), cursor.rowcount)

    async def _get_conn(self) -> psycopg.AsyncConnection[Any]:
        self._refuse_once_closed()
        connection: psycopg.AsyncConnection[Any] = await super()._get_conn()
        return connection

    def _refuse_once_closed(self) -> None:
        if self._is_closed:
            raise psycopg.OperationalError("the queue's worker is closed")

    async def close(self) -> None:
        self._is_closed = True
        try:
            async with asyncio.timeout(_STATEMENT_ENDS_WITHIN_SECONDS), self._conn_lock:
                await super().close()
        except TimeoutError:
            # The process is about to end, and the connection with it.
            log.warning("queue_connection_left_open")


class _Backend(PostgresBackend):  # type: ignore[misc]  # BullMQ has no types.
    """Waits for the process's one bell, and looks at delayed jobs again when it is told of one.

    BullMQ listens on a connection for each queue, and waits until those delayed jobs are due that it knew of before, or
    for `drainDelay`; whoever wants a new one to run in time has to have it look every second.
    """

    def __init__(self, queue: str, connection: PatientConnection, bell: Bell) -> None:
        super().__init__(queue, connection)
        self._rung = bell.of(queue)
        self.was_told = False
        # Whether who completes a job takes another one; and what was taken, by the job that was completed.
        self.takes_next = True
        self.next_jobs: dict[str, list[Any]] = {}

    async def moveToCompleted(  # noqa: N802 (the name is BullMQ's)
        self, job: Job, return_value: Any, remove_on_complete: Any, token: str, fetch_next: bool = True
    ) -> Any:
        completed = await super().moveToCompleted(
            job, return_value, remove_on_complete, token, fetch_next=fetch_next or self.takes_next
        )
        if completed["result"]:
            self.next_jobs[job.id] = completed["result"]
        return completed

    async def _next_job_result(self, rows_maps: list[dict[str, Any]], limiter_max: Any, now: int) -> list[Any]:
        """Nobody limits our queues by BullMQ's means, and when the next job is due is asked while waiting for it."""
        if rows_maps:
            found: list[Any] = await super()._next_job_result(rows_maps, limiter_max, now)
            return found
        return [None, "", 0, 0]

    async def waitForJob(self, block_timeout: float) -> _Marker | None:  # noqa: N802 (the name is BullMQ's)
        """Return once there is something to do, or after so many seconds: then with when the next is due, if any."""
        until = time.monotonic() + block_timeout
        while True:
            self._rung.clear()
            waiting, due = (await self.connection.run(_LOOK, [self.queue_name])).rows[0]
            due_in_ms = None if due is None else due - int(time.time() * 1000)
            if waiting or (due_in_ms is not None and due_in_ms <= 0):
                return self._marker(0)
            left = until - time.monotonic()
            if left <= 0:
                return None if due is None else self._marker(due)
            if await self._told(left if due_in_ms is None else min(left, due_in_ms / 1000)):
                self.was_told = True
                return self._marker(0)

    async def _told(self, within_seconds: float) -> bool:
        try:
            async with asyncio.timeout(within_seconds):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True

    def _marker(self, at: int) -> _Marker:
        return ["bullmq_jobs", self.queue_name, at]


@functools.cache
def _taken_apart(sql: str) -> tuple[bytes, tuple[int, ...]]:
    """A statement as psycopg writes it, and which parameter stands at each place."""
    bare = _COMMENT.sub("", sql)
    places = tuple(int(found[1]) - 1 for found in _PARAMETER.finditer(bare))
    return _PARAMETER.sub("%s", bare.replace("%", "%%")).encode(), places
