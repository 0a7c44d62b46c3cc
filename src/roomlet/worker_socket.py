"""The WebSocket of an agent worker."""

import asyncio
import logging
from dataclasses import dataclass

from aiohttp import WSMsgType, web
from google.protobuf.message import DecodeError
from livekit.protocol import agent, models

from roomlet.errors import NotPermitted, Refused, Unauthenticated
from roomlet.limits import Limits
from roomlet.rooms import Rooms
from roomlet.tokens import Keyring
from roomlet.workers import Worker, Workers

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 30


@dataclass(frozen=True)
class WorkerSocket:
    keyring: Keyring
    workers: Workers
    rooms: Rooms
    limits: Limits
    server_info: models.ServerInfo

    async def enter(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=404, text="this path is for WebSockets")
        try:
            self._welcome(request)
        except (Unauthenticated, NotPermitted) as refusal:
            return web.Response(status=401, text=refusal.message)
        except Refused as refusal:
            return web.Response(status=refusal.status, text=refusal.message)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=self.limits.signal_message_bytes)
        await socket.prepare(request)
        waiting: asyncio.Queue[bytes] = asyncio.Queue()

        def put(message: bytes) -> None:
            """Called from the middle of a room's affairs. A worker that does not read is cut off and raises nothing."""
            if waiting.qsize() < self.limits.signal_backlog:
                waiting.put_nowait(message)
            elif request.transport is not None:
                request.transport.abort()

        worker = Worker(put, self.server_info)
        writing = asyncio.get_running_loop().create_task(_write(socket, waiting))
        try:
            await self._converse(socket, worker)
        finally:
            self.workers.lose(worker)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        return socket

    def _welcome(self, request: web.Request) -> None:
        header = request.headers.get("Authorization", "")
        token = header[7:] if header.startswith("Bearer ") else request.query.get("access_token", "")
        if not self.keyring.read(token).grants.agent:
            raise NotPermitted("permissions denied: the token needs the agent grant")
        self.rooms.refuse_when_draining()
        self.workers.refuse_when_full()

    async def _converse(self, socket: web.WebSocketResponse, worker: Worker) -> None:
        async for message in socket:
            if message.type != WSMsgType.BINARY:
                continue
            try:
                self.workers.hear(worker, agent.WorkerMessage.FromString(message.data))
            except DecodeError:
                log.warning("a worker's message could not be read", extra={"worker": worker.id})


async def _write(socket: web.WebSocketResponse, waiting: asyncio.Queue[bytes]) -> None:
    try:
        while True:
            await socket.send_bytes(await waiting.get())
    except ConnectionError:
        return
