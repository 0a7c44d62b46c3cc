"""Lets pages of any origin ask for what a publishable key may do, and for nothing else.

A page sends its key in a header and there are no cookies, so its origin gives a page no power that others lack.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of what a publishable key may do: path and method.
OPEN_TO_PAGES = {"/v1/calls": "POST"}

_REMEMBERED_SECONDS = "7200"
_SENT = "Authorization, Content-Type, Idempotency-Key"
_READ = "X-Request-Id, Retry-After, Idempotency-Replayed"


class CrossOrigin:
    """ASGI middleware. Answers a browser's question beforehand, and marks answers as readable by the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = OPEN_TO_PAGES.get(scope["path"]) if scope["type"] == "http" else None
        if method is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
            await _may(method)(scope, receive, send)
        elif scope["method"] == method:
            await self._app(scope, receive, _readable(send))
        else:
            await self._app(scope, receive, send)


def _may(method: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": method,
            "Access-Control-Allow-Headers": _SENT,
            "Access-Control-Max-Age": _REMEMBERED_SECONDS,
        },
    )


def _readable(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = _READ
        await send(message)

    return sending
