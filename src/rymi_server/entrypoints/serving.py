"""Serves an ASGI app until it is told to stop, and then finishes what it has begun."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

DRAIN_SECONDS = 30
_LARGEST_WEBSOCKET_MESSAGE = 65_536


async def serve(app: ASGIApp, listening: socket.socket, stop: asyncio.Event, *, trusted_proxies: str) -> None:
    """Return after `stop`: no connection is accepted from then on, and running requests have been answered."""
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="websockets-sansio",
            ws_max_size=_LARGEST_WEBSOCKET_MESSAGE,
            ws_per_message_deflate=False,
            lifespan="off",
            proxy_headers=True,
            forwarded_allow_ips=trusted_proxies,
            server_header=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where there is one."""
    factory = uvicorn.Config(_nothing, log_config=None).get_loop_factory()
    return factory() if factory else asyncio.new_event_loop()


async def _nothing(*_: object) -> None:
    """An app is needed to ask uvicorn which loop it would choose."""


class _Server(uvicorn.Server):
    """uvicorn ends the whole process by the signal that it caught; ours has more to close first."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
