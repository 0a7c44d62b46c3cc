"""Agent workers: processes that connect to `/agent`, say what they serve, and are offered jobs."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from livekit.protocol import agent, models

from roomlet.errors import LimitReached
from roomlet.identifiers import new_id

log = logging.getLogger(__name__)
ANSWER_SECONDS = 7.0
"""How long a worker may think about a job before the next one is asked."""


class WorkerListener(Protocol):
    """Whoever has jobs to give."""

    def on_worker_free(self, worker: "Worker") -> None: ...
    def on_job_update(self, worker: "Worker", update: agent.UpdateJobStatus) -> None: ...
    def on_worker_gone(self, worker: "Worker") -> None: ...


class Worker:
    """One connected worker process."""

    def __init__(self, write: Callable[[bytes], None], server_info: models.ServerInfo) -> None:
        self.id = new_id("AW_")
        self.agent_name = ""
        self.kind: agent.JobType = agent.JobType.JT_ROOM
        self.permission: models.ParticipantPermission | None = None
        self.is_registered = self.is_closed = False
        self.is_free = True
        self.load = 0.0
        self._write, self._server_info = write, server_info
        self._asked: dict[str, asyncio.Future[agent.AvailabilityResponse]] = {}

    async def offer(self, job: agent.Job) -> agent.AvailabilityResponse | None:
        """Its answer, or None if it said nothing in time or went away."""
        answer = self._asked[job.id] = asyncio.get_running_loop().create_future()
        self._send(agent.ServerMessage(availability=agent.AvailabilityRequest(job=job)))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                response: agent.AvailabilityResponse = await answer
                return response
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._asked.pop(job.id, None)

    def assign(self, job: agent.Job, token: str) -> None:
        """The assignment names no URL: the worker then uses the one it reached this server by."""
        self._send(agent.ServerMessage(assignment=agent.JobAssignment(job=job, token=token)))

    def terminate(self, job_id: str) -> None:
        self._send(agent.ServerMessage(termination=agent.JobTermination(job_id=job_id)))

    def register(self, request: agent.RegisterWorkerRequest) -> None:
        self.agent_name, self.kind = request.agent_name, request.type
        self.permission = request.allowed_permissions if request.HasField("allowed_permissions") else None
        self.is_registered = True
        response = agent.RegisterWorkerResponse(worker_id=self.id, server_info=self._server_info)
        self._send(agent.ServerMessage(register=response))

    def update(self, status: agent.UpdateWorkerStatus) -> bool:
        """True if it can take jobs again after a time in which it could not."""
        was_free = self.is_free
        if status.HasField("status"):
            self.is_free = status.status == agent.WorkerStatus.WS_AVAILABLE
        self.load = status.load
        return self.is_free and not was_free

    def answer(self, response: agent.AvailabilityResponse) -> None:
        asked = self._asked.get(response.job_id)
        if asked is not None and not asked.done():
            asked.set_result(response)

    def pong(self, timestamp: int) -> None:
        now = time.time_ns() // 1_000_000
        self._send(agent.ServerMessage(pong=agent.WorkerPong(last_timestamp=timestamp, timestamp=now)))

    def close(self) -> None:
        self.is_closed = True
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ConnectionError("the worker is gone"))

    def _send(self, message: agent.ServerMessage) -> None:
        if not self.is_closed:
            self._write(message.SerializeToString())


class Workers:
    """Everybody who registered, and what their messages mean."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_id: dict[str, Worker] = {}
        self._listener: WorkerListener | None = None

    def __len__(self) -> int:
        return len(self._by_id)

    def report_to(self, listener: WorkerListener) -> None:
        self._listener = listener

    def refuse_when_full(self) -> None:
        if len(self._by_id) >= self._most:
            raise LimitReached(f"this server has its {self._most} agent workers (ROOMLET_LIMIT_WORKERS)")

    def able(self, agent_name: str, kind: agent.JobType) -> list[Worker]:
        """Free workers for such a job, the least loaded first."""
        found = [w for w in self._by_id.values() if w.agent_name == agent_name and w.kind == kind and w.is_free]
        return sorted(found, key=lambda worker: worker.load)

    def hear(self, worker: Worker, message: agent.WorkerMessage) -> None:
        kind = message.WhichOneof("message")
        assert self._listener is not None
        if kind == "register" and not worker.is_registered:
            worker.register(message.register)
            self._by_id[worker.id] = worker
            log.info("an agent worker registered", extra={"worker": worker.id, "agent": worker.agent_name})
            self._listener.on_worker_free(worker)
        elif kind == "availability":
            worker.answer(message.availability)
        elif kind == "update_worker":
            if worker.update(message.update_worker) and worker.is_registered:
                self._listener.on_worker_free(worker)
        elif kind == "update_job":
            self._listener.on_job_update(worker, message.update_job)
        elif kind == "ping":
            worker.pong(message.ping.timestamp)

    def lose(self, worker: Worker) -> None:
        worker.close()
        if self._by_id.pop(worker.id, None) is not None:
            log.info("an agent worker is gone", extra={"worker": worker.id, "agent": worker.agent_name})
            assert self._listener is not None
            self._listener.on_worker_gone(worker)
