"""Carries out HTTP tools: one bounded request to a public address, and what came back, for a model to read."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from rymi_server.foundation.json_schemas import UnusableSchema, compile_schema
from rymi_server.foundation.public_network import NO_ANSWER, public_connections, told
from rymi_server.foundation.public_url import refuse_private
from rymi_server.foundation.storable import storable
from rymi_server.runtime.thinking.tools import HttpRequest, Outcome, Tool

_MOST_REPLY_BYTES = 65_536
_MOST_SHOWN = 4_000
_MOST_CONNECTIONS = 16
_IDLE_SECONDS = 20.0


class HttpTools:
    """Keeps connections for a call or a process. `allow_private` is for development."""

    def __init__(self, *, allow_private: bool = False, trust: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._pool = public_connections(
            allow_private=allow_private,
            trust=trust,
            most=_MOST_CONNECTIONS,
            most_idle=_MOST_CONNECTIONS,
            idle_s=_IDLE_SECONDS,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def run(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome:
        if tool.http is None:
            return Outcome(False, "this tool is not one that asks somebody else")
        if problem := _misfit(tool, arguments):
            return Outcome(False, problem)
        try:
            refuse_private(tool.http.url, allow_private=self._allow_private)
            async with asyncio.timeout(tool.http.timeout_ms / 1_000):
                status, body = await self._ask(tool.http, arguments)
        except TimeoutError:
            return Outcome(False, f"no answer within {tool.http.timeout_ms} ms")
        except NO_ANSWER as error:
            return Outcome(False, told(error))
        if not 200 <= status < 300:
            # The body of a failure may hold anything; a model that reads it aloud helps nobody.
            return Outcome(False, f"it answered {status}")
        return Outcome(True, _readable(body))

    async def _ask(self, request: HttpRequest, arguments: Mapping[str, Any]) -> tuple[int, bytes]:
        url, content = request.url, b""
        headers = {"accept": "application/json, text/plain", "user-agent": "rymi-agent"}
        if request.method in {"GET", "DELETE"}:
            url = _with_query(url, arguments)
        else:
            content = json.dumps(dict(arguments)).encode()
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in request.headers.items()}
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with self._pool.stream(request.method, url, headers=sent, content=content) as answer:
            body = bytearray()
            async for part in answer.aiter_stream():
                body += part
                if len(body) >= _MOST_REPLY_BYTES:
                    break
            return answer.status, bytes(body[:_MOST_REPLY_BYTES])


def _misfit(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """What a model has to do better."""
    try:
        wrong = next(iter(compile_schema(tool.parameters).iter_errors(dict(arguments))), None)
    except UnusableSchema as problem:
        return f"its parameters cannot be checked: {problem.message}"
    return f"the arguments do not fit: {str(wrong).splitlines()[0][:200]}" if wrong is not None else ""


def _with_query(url: str, arguments: Mapping[str, Any]) -> str:
    parts = urlsplit(url)
    asked = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in arguments.items()]
    query = "&".join(part for part in (parts.query, urlencode(asked)) if part)
    return urlunsplit(parts._replace(query=query, fragment=""))


def _readable(body: bytes) -> Any:
    """JSON as JSON where it is short, anything else as the beginning of a text."""
    text = body.decode("utf-8", "replace").replace("\x00", "")
    if len(text) <= _MOST_SHOWN:
        try:
            return storable(json.loads(text))
        except (ValueError, RecursionError):
            return text.strip()
    return f"{text[:_MOST_SHOWN].strip()}…"
