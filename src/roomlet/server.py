"""Builds the server out of its parts, opens its ports, and closes it in an order that loses nothing."""

import asyncio
import contextlib
import gc
import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from livekit.protocol import models

from roomlet.audience import Audience
from roomlet.clock_work import ClockWork
from roomlet.dispatch import Dispatcher
from roomlet.ice import IcePorts, PortTaken, refusal
from roomlet.identifiers import new_id
from roomlet.joining import Joining
from roomlet.metrics import Counters, Exposition
from roomlet.room_calls import RoomCalls
from roomlet.rooms import Rooms
from roomlet.settings import Settings
from roomlet.tokens import Keyring
from roomlet.twirp import Twirp
from roomlet.webhooks import Webhooks
from roomlet.worker_socket import WorkerSocket
from roomlet.workers import Workers

log = logging.getLogger(__name__)
PROTOCOL = 16
SPOKEN_VERSION = "1.9.1"
"""The LiveKit server whose protocol this one speaks. Clients choose features by it."""
DRAIN_CHECK_SECONDS = 0.2
LONGEST_LINE = 1024 * 1024
"""Clients put their token, and all that they join with, into the request's first line or a header."""
COLLECT_EVERY = (10_000, 20, 20)
"""Packets leave no cycles behind, only participants do: Python's default would look for some every few milliseconds."""


@dataclass
class Server:
    settings: Settings
    counters: Counters = field(default_factory=Counters)

    def __post_init__(self) -> None:
        settings = self.settings
        limits = settings.limits
        keyring = Keyring(settings.api_key, settings.api_secret)
        self.info = models.ServerInfo(
            edition=models.ServerInfo.Standard,
            version=SPOKEN_VERSION,
            protocol=PROTOCOL,
            node_id=new_id("ND_"),
            agent_protocol=1,
        )
        self.ports = IcePorts(settings, self.counters)
        self.workers = Workers(limits.workers)
        self.webhooks = Webhooks(
            settings.webhook_urls, keyring, self.counters, limits.webhook_backlog, settings.webhook_timeout_seconds
        )
        dispatcher = Dispatcher(
            self.workers, keyring, self.counters, settings.agent_leave_seconds, limits.dispatches_per_room
        )
        self.rooms = Rooms(settings, self.counters, Audience([self.webhooks, dispatcher]))
        self._joining = Joining(settings, self.rooms, self.ports, keyring, self.counters, self.info)
        self._workers = WorkerSocket(keyring, self.workers, self.rooms, limits, self.info)
        self._twirp = Twirp(RoomCalls(self.rooms, dispatcher, limits).methods(), keyring)
        self._clock = ClockWork(self.rooms, self.counters, self._joining.refresh_token, settings.token_refresh_seconds)
        self._exposition = Exposition(self.counters, lambda: self.rooms.occupancy(len(self.workers)))
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.Task[None] | None = None
        self.http_port = settings.http_port

    @property
    def url(self) -> str:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"http://{host}:{self.http_port}"

    async def open(self) -> None:
        """Raises `PortTaken`."""
        await self.ports.open()
        self._runner = web.AppRunner(
            self._application(),
            access_log=None,
            shutdown_timeout=1.0,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.http_port)
        try:
            await site.start()
        except OSError as error:
            await self.close()
            raise PortTaken(refusal("TCP", self.settings.host, self.settings.http_port, error)) from None
        self.http_port = self._runner.addresses[0][1]
        await self.webhooks.open()
        self._ticking = asyncio.get_running_loop().create_task(self._clock.run())

    async def drain(self, seconds: float) -> None:
        """Takes nobody new and lets calls go on for at most so long."""
        self.rooms.is_draining = True
        until = time.monotonic() + seconds
        # Draining is rare; an event that every departure would have to set is not worth it.
        while self.rooms.participants() and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_CHECK_SECONDS)

    async def close(self) -> None:
        """Everybody is told to leave and every webhook gets its chance before the sockets go."""
        self.rooms.is_draining = True
        self.rooms.close_all()
        if self._ticking is not None:
            self._ticking.cancel()
            await asyncio.gather(self._ticking, return_exceptions=True)
        await self.webhooks.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.ports.close()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=self.settings.limits.http_body_bytes)
        add = application.router.add_get
        for path in ("/rtc", "/rtc/v1"):
            add(path, self._joining.enter)
            add(f"{path}/validate", self._joining.validate)
        add("/agent", self._workers.enter)
        add("/", self._alive)
        add("/healthz", self._health)
        add("/metrics", self._metrics)
        application.router.add_post("/twirp/{service}/{method}", self._twirp.answer)
        return application

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _health(self, request: web.Request) -> web.Response:
        now = self.rooms.occupancy(len(self.workers))
        body = {
            "status": "draining" if self.rooms.is_draining else "ok",
            "rooms": now.rooms,
            "participants": now.participants,
            "workers": now.workers,
        }
        return web.json_response(body, status=503 if self.rooms.is_draining else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        headers = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        return web.Response(body=self._exposition.text(), headers=headers)


async def serve(settings: Settings, on_ready: Callable[[Server], None] | None = None) -> None:
    """Runs until SIGTERM or SIGINT, then drains and stops. Raises `PortTaken`."""
    server = Server(settings)
    await server.open()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in its loop.
            loop.add_signal_handler(number, stop.set)
    # What exists now lives as long as the process: looking at it again would only cost audio its punctuality.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_EVERY)
    log.info("roomlet is ready", extra={"address": server.url, "http_port": server.http_port})
    if on_ready is not None:
        on_ready(server)
    await stop.wait()
    log.info("roomlet is draining", extra={"participants": server.rooms.participants()})
    stop.clear()
    draining = loop.create_task(server.drain(settings.drain_seconds))
    second = loop.create_task(stop.wait())
    await asyncio.wait([draining, second], return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, second):
        task.cancel()
    await server.close()
    log.info("roomlet has stopped")
