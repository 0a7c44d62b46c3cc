"""`/healthz`, `/readyz` and `/metrics` of a process that serves nothing else to the outside, on a port of their own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter, FastAPI

from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.serving import serve
from rymi_server.entrypoints.settings import Settings


@contextlib.asynccontextmanager
async def health_page(settings: Settings, port: int, port_setting: str, routes: APIRouter) -> AsyncIterator[None]:
    """Answers meanwhile; 0 as the port answers nobody."""
    if not port:
        yield
        return
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(routes)
    listening = listen(settings.http_host, port, port_setting)
    enough = asyncio.Event()
    serving = asyncio.create_task(serve(app, listening, enough, trusted_proxies=settings.trusted_proxies))
    try:
        yield
    finally:
        enough.set()
        await serving
