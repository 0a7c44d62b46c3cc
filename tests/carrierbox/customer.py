"""The customer's side of a carrier, as small as can be: webhooks that are remembered, documents, media sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

PATIENCE_S = 15.0


@dataclass(frozen=True)
class Received:
    method: str
    url: str
    path: str
    headers: dict[str, str]
    body: bytes
    form: dict[str, str]


@dataclass
class Socket:
    """One media socket as the application saw it."""

    url: str
    headers: dict[str, str]
    ws: web.WebSocketResponse
    messages: list[str | bytes] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    closed: bool = False


Talk = Callable[[Socket], Awaitable[None]]
Document = tuple[str, str]


class Customer:
    """Serves on loopback. What came in is kept in the order it came."""

    def __init__(self) -> None:
        self.address = ""
        self.documents: dict[str, Document | int | Callable[[Received], Document | int]] = {}
        self.talk: Talk | None = None
        self.received: list[Received] = []
        self.sockets: list[Socket] = []
        self._held: dict[str, asyncio.Event] = {}
        self._news = asyncio.Condition()

    @property
    def media(self) -> str:
        return f"{self.address.replace('http', 'ws', 1)}/media"

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**22)
        app.router.add_get("/media", self._socket)
        app.router.add_get("/media/{rest:.*}", self._socket)
        app.router.add_route("*", "/{path:.*}", self._webhook)
        return app

    async def wait(self, what: str, come: Callable[[], bool]) -> None:
        """Wait until it has come, or say what never came."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                await self._news.wait_for(come)
        except TimeoutError:
            seen = [f"{r.method} {r.path} {r.form}" for r in self.received]
            heard = [[m if isinstance(m, str) else len(m) for m in s.messages[-5:]] for s in self.sockets]
            raise AssertionError(f"{what} did not come; webhooks: {seen}; sockets: {heard}") from None

    async def wait_for_webhook(self, path: str, **fields: str) -> Received:
        def found() -> list[Received]:
            return [r for r in self.received if r.path == path and fields.items() <= r.form.items()]

        await self.wait(f"a webhook to {path} with {fields}", lambda: bool(found()))
        return found()[0]

    async def wait_for_socket(self, number: int = 1) -> Socket:
        await self.wait(f"media socket {number}", lambda: len(self.sockets) >= number)
        return self.sockets[number - 1]

    def hold(self, path: str) -> None:
        """Answer no webhook to this path until it is released."""
        self._held[path] = asyncio.Event()

    def release(self, path: str) -> None:
        self._held.pop(path).set()

    def at(self, path: str) -> list[Received]:
        return [r for r in self.received if r.path == path]

    async def _webhook(self, request: web.Request) -> web.Response:
        body = await request.read()
        form = {name: str(value) for name, value in (await request.post()).items()} if request.method == "POST" else {}
        received = Received(
            request.method,
            f"{self.address}{request.raw_path}",
            request.path,
            dict(request.headers),
            body,
            form or dict(request.query),
        )
        self.received.append(received)
        await self._tell()
        if request.path in self._held:
            await self._held[request.path].wait()
        document = self.documents.get(request.path, 204)
        if callable(document):
            document = document(received)
        if isinstance(document, int):
            return web.Response(status=document)
        return web.Response(content_type=document[0], text=document[1])

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(max_msg_size=2**20)
        await ws.prepare(request)
        socket = Socket(f"{self.address.replace('http', 'ws', 1)}{request.raw_path}", dict(request.headers), ws)
        self.sockets.append(socket)
        talking = asyncio.create_task(self.talk(socket)) if self.talk else None
        try:
            async for message in ws:
                if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    socket.messages.append(message.data)
                    socket.arrived.append(time.monotonic())
                    await self._tell()
        finally:
            socket.closed = True
            if talking is not None:
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
            await self._tell()
        return ws

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
