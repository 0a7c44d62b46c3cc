"""Takes nothing new on while the process is about to stop. Agents, LiveKit and carriers are still heard."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from rymi_server.foundation.errors import Unavailable
from rymi_server.http.error_rendering import error_response

_FOR_CUSTOMERS = ("/v1/", "/talk")


class Draining(Unavailable):
    """The server is about to stop. Nothing was done; ask again, and another one answers."""

    status, code = 503, "draining"

    def __init__(self) -> None:
        super().__init__("This server is about to stop. Nothing was done; ask again in a moment.", retryable=True)


class RefuseWhileDraining:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, draining: asyncio.Event) -> None:
        self._app = app
        self._draining = draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._draining.is_set() and scope["path"].startswith(_FOR_CUSTOMERS):
            headers = {"Retry-After": "1", "Connection": "close"}
            await error_response(Draining(), headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)
