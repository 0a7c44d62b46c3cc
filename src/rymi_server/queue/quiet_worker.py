"""BullMQ's worker on PostgreSQL, but that it rests while there is nothing to do and ends no connection that is in use.

What this version of BullMQ does otherwise is said at each part.
"""

import asyncio
import time
from typing import Any, TypeAlias

import psycopg
import structlog
from bullmq import Job, Worker
from bullmq.backends import PostgresBackend
from bullmq.backends.postgres_connection import PostgresConnection

log = structlog.get_logger(__name__)

_STATEMENT_ENDS_WITHIN_SECONDS = 5
# The channel, the queue, and since when there is something to do: 0 for now.
_Marker: TypeAlias = list[Any]


class QuietWorker(Worker):  # type: ignore[misc]  # BullMQ has no types.
    """Asks for one job at a time.

    BullMQ's worker asks once for each job that it could still take, all at once and after every job: forty questions to
    PostgreSQL for one delivery.
    """

    def __init__(self, queue: str, process: Any, options: dict[str, Any]) -> None:
        super().__init__(queue, process, options)
        self.backend = _Backend(queue, PatientConnection(options))
        self._turn = asyncio.Lock()

    async def getNextJob(self, token: str) -> Job | None:  # noqa: N802 (the name is BullMQ's)
        async with self._turn:
            if self.closing:
                return None
            try:
                return await super().getNextJob(token)
            except psycopg.Error:
                if self.closing:
                    return None
                raise


class PatientConnection(PostgresConnection):  # type: ignore[misc]  # BullMQ has no types.
    """Waits for the statement that runs before it closes, and stays closed.

    BullMQ closes the connection under it where a job ends just then, and psycopg reads on in memory that is freed. A
    loop that has missed that its worker was closed would connect again, and nobody would close that.
    """

    _is_closed = False

    async def listen_connection(self) -> psycopg.AsyncConnection[Any]:
        self._refuse_once_closed()
        connection: psycopg.AsyncConnection[Any] = await super().listen_connection()
        if self._is_closed:  # It was closed while this was connecting.
            await connection.close()
        self._refuse_once_closed()
        return connection

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
    """Looks at delayed jobs again when it is told of one.

    BullMQ waits until those are due that it knew of before, or for `drainDelay`; whoever wants a new one to run in time
    has to have it look every second.
    """

    async def waitForJob(self, block_timeout: float) -> _Marker | None:  # noqa: N802 (the name is BullMQ's)
        """Return once there is something to do, or after so many seconds: then with when the next is due, if any."""
        until = time.monotonic() + block_timeout
        while True:
            listening = await self.connection.ensure_job_channel()
            if await self._has_waiting_job():
                return self._marker(0)
            due_in_ms = await self._next_delay_ms()
            if due_in_ms is not None and due_in_ms <= 0:
                return self._marker(0)
            left = until - time.monotonic()
            if left <= 0:
                return None if due_in_ms is None else self._marker(int(time.time() * 1000) + due_in_ms)
            try:
                await self._told(listening, left if due_in_ms is None else min(left, due_in_ms / 1000))
            except psycopg.Error:
                # It connects again above, which a connection that was closed for good refuses.
                await self.connection.reset_job_channel()

    async def _told(self, listening: psycopg.AsyncConnection[Any], seconds: float) -> None:
        """Return when something about this queue is told, and after so many seconds anyway."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            async for notice in listening.notifies(timeout=left, stop_after=1):
                if notice.payload == self.queue_name:
                    return

    def _marker(self, at: int) -> _Marker:
        return ["bullmq_jobs", self.queue_name, at]
