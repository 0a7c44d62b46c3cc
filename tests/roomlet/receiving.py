"""A webhook receiver that believes only what LiveKit's own verifier believes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from aiohttp import web
from livekit import api
from livekit.protocol.webhook import WebhookEvent
from tests.roomlet.waiting import eventually


@dataclass
class Receiver:
    verifier: api.WebhookReceiver
    url: str = ""
    events: list[WebhookEvent] = field(default_factory=list)
    answer: Callable[[], int] = lambda: 200
    requests: int = 0
    stall: asyncio.Event | None = None

    def names(self, room: str) -> list[str]:
        return [event.event for event in self.events if event.room.name == room]

    def of(self, room: str, name: str) -> list[WebhookEvent]:
        return [event for event in self.events if event.room.name == room and event.event == name]

    async def heard(self, room: str, name: str, times: int = 1) -> WebhookEvent:
        await eventually(f"webhook {name} for {room}", lambda: len(self.of(room, name)) >= times)
        return self.of(room, name)[times - 1]

    async def receive(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.stall is not None:
            await self.stall.wait()
        status = self.answer()
        if status == 200:
            body = (await request.read()).decode()
            event = self.verifier.receive(body, request.headers["Authorization"])
            # Delivery is at least once: what was answered too late comes again under the same id.
            if event.id not in [known.id for known in self.events]:
                self.events.append(event)
        return web.Response(status=status)


@contextlib.asynccontextmanager
async def receiving(key: str, secret: str, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver(api.WebhookReceiver(api.TokenVerifier(key, secret)))
    application = web.Application()
    application.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
