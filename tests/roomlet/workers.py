"""An agent worker by hand: it speaks the worker protocol and does with jobs what a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
from livekit import api
from livekit.protocol import agent
from tests.roomlet.people import Server
from tests.roomlet.waiting import within


@dataclass
class HandWorker:
    socket: aiohttp.ClientWebSocketResponse
    accepts: bool = True
    id: str = ""
    offers: list[agent.Job] = field(default_factory=list)
    assignments: asyncio.Queue[agent.JobAssignment] = field(default_factory=asyncio.Queue)
    terminations: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    registered: asyncio.Event = field(default_factory=asyncio.Event)
    identity: str = ""
    identity_of: Callable[[agent.Job], str] | None = None

    async def send(self, message: agent.WorkerMessage) -> None:
        await self.socket.send_bytes(message.SerializeToString())

    async def job(self) -> agent.JobAssignment:
        return await within("a job", self.assignments.get())

    async def dismissed(self) -> str:
        return await within("the end of a job", self.terminations.get())

    async def report(self, job_id: str, status: agent.JobStatus) -> None:
        await self.send(agent.WorkerMessage(update_job=agent.UpdateJobStatus(job_id=job_id, status=status)))

    async def be(self, status: agent.WorkerStatus) -> None:
        await self.send(agent.WorkerMessage(update_worker=agent.UpdateWorkerStatus(status=status)))

    async def listen(self) -> None:
        async for frame in self.socket:
            message = agent.ServerMessage.FromString(frame.data)
            kind = message.WhichOneof("message")
            if kind == "register":
                self.id = message.register.worker_id
                self.registered.set()
            elif kind == "availability":
                await self._answer(message.availability.job)
            elif kind == "assignment":
                self.assignments.put_nowait(message.assignment)
            elif kind == "termination":
                self.terminations.put_nowait(message.termination.job_id)

    async def _answer(self, job: agent.Job) -> None:
        self.offers.append(job)
        answer = agent.AvailabilityResponse(
            job_id=job.id,
            available=self.accepts,
            participant_identity=self.identity_of(job) if self.identity_of else self.identity or f"agent-{job.id}",
            participant_name="Agent",
        )
        await self.send(agent.WorkerMessage(availability=answer))


@contextlib.asynccontextmanager
async def working(
    server: Server,
    name: str = "",
    *,
    accepts: bool = True,
    kind: agent.JobType = agent.JobType.JT_ROOM,
    identity: str = "",
    identity_of: Callable[[agent.Job], str] | None = None,
) -> AsyncIterator[HandWorker]:
    minted = api.AccessToken(server.key, server.secret).with_grants(api.VideoGrants(agent=True)).to_jwt()
    headers = {"Authorization": f"Bearer {minted}"}
    url = f"{server.url.replace('ws', 'http', 1)}/agent"
    async with aiohttp.ClientSession() as http, http.ws_connect(url, headers=headers) as socket:
        worker = HandWorker(socket, accepts, identity=identity, identity_of=identity_of)
        listening = asyncio.create_task(worker.listen())
        await worker.send(agent.WorkerMessage(register=agent.RegisterWorkerRequest(type=kind, agent_name=name)))
        await within("the worker is registered", worker.registered.wait())
        try:
            yield worker
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
