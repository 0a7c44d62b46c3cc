"""An installation in this process, but for its room server: the API at a port, a worker, and a roomlet that tells."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
from prometheus_client import CollectorRegistry
from tests.roomlet.people import Server
from tests.roomlet.running import KEY, SECRET, Running, roomlet
from tests.support.asking import CLOCK, Customer, new_customer, settings_for_tests

from rymi_server.entrypoints.building import build_edge
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.serving import serve
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.worker import build_worker
from rymi_server.foundation.database import Database
from rymi_server.http.app import server
from rymi_server.rooms.server import RoomServer


@dataclass
class Installation:
    settings: Settings
    database: Database
    http: httpx.AsyncClient
    rooms: Running
    acme: Customer
    room_server: RoomServer

    @property
    def server(self) -> Server:
        return self.rooms


async def _always_ready() -> list[Any]:
    return []


@contextlib.asynccontextmanager
async def api_at_a_port(settings: Settings, database: Database) -> AsyncIterator[str]:
    """Its URL."""
    listening, stop = listen("127.0.0.1", settings.http_port, "RYMI_HTTP_PORT"), asyncio.Event()
    app = server(build_edge(settings, database, CLOCK), _always_ready, CollectorRegistry())
    serving = asyncio.create_task(serve(app, listening, stop, trusted_proxies=""))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        await serving


@contextlib.asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """A worker meanwhile."""
    stop = asyncio.Event()
    running = asyncio.create_task(build_worker(settings).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


@contextlib.asynccontextmanager
async def installation(database_url: str, port: int, *, notices: bool = True) -> AsyncIterator[Installation]:
    """Without `notices` the room server tells nobody anything, and no worker runs that would notice."""
    api_url = f"http://127.0.0.1:{port}"
    tell = ("--webhook-urls", f"{api_url}/internal/livekit/webhook") if notices else ()
    database = Database(database_url)
    async with roomlet("--agent-leave-seconds", "1", *tell) as rooms, contextlib.AsyncExitStack() as running:
        settings = settings_for_tests(
            database_url=database_url,
            http_port=port,
            worker_metrics_port=0,
            livekit_url=rooms.url,
            livekit_api_key=KEY,
            livekit_api_secret=SECRET,
        )
        await running.enter_async_context(api_at_a_port(settings, database))
        http = await running.enter_async_context(httpx.AsyncClient(base_url=api_url))
        if notices:
            await running.enter_async_context(working(settings))
        asking_rooms = await running.enter_async_context(aiohttp.ClientSession())
        server_api = RoomServer(settings.livekit(), asking_rooms)
        yield Installation(settings, database, http, rooms, await new_customer(database, http), server_api)
    await database.close()
