"""Sends a webhook to a public address, and tells what came of it. Redirects are not followed."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore

from rymi_server.foundation.public_network import NO_ANSWER, public_connections, told
from rymi_server.foundation.public_url import refuse_private

_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_MOST_REPLY = 4_096
_IDLE_SECONDS = 5.0
_MOST_CONNECTIONS = 100
_MOST_IDLE = 20
_FIRST_GOOD, _FIRST_NOT_GOOD = 200, 300


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint answered, or why it did not."""

    status_code: int | None
    reply: str | None
    error: str | None

    @property
    def accepted(self) -> bool:
        return self.status_code is not None and _FIRST_GOOD <= self.status_code < _FIRST_NOT_GOOD


class Sender:
    """Keeps connections to those that answered a moment ago. `allow_private` is for development."""

    def __init__(self, *, allow_private: bool, seconds: float = _SECONDS, trust: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._seconds = seconds
        self._pool = public_connections(
            allow_private=allow_private,
            trust=trust,
            most=_MOST_CONNECTIONS,
            most_idle=_MOST_IDLE,
            idle_s=_IDLE_SECONDS,
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Never raises for what the other end does or is."""
        try:
            refuse_private(url, allow_private=self._allow_private)
            async with asyncio.timeout(self._seconds):
                return await self._ask(url, headers, body)
        except TimeoutError:
            return Reply(None, None, f"no answer within {self._seconds:g} s")
        except NO_ANSWER as error:
            return Reply(None, None, told(error))

    async def close(self) -> None:
        await self._pool.aclose()

    async def _ask(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        timeouts = {"connect": _CONNECT_SECONDS, "read": self._seconds, "write": self._seconds, "pool": self._seconds}
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with self._pool.stream(
            "POST", url, headers=sent, content=body, extensions={"timeout": timeouts}
        ) as answer:
            return Reply(answer.status, await _beginning(answer), None)


async def _beginning(answer: httpcore.Response) -> str:
    """What is shown of a reply: the first bytes of it. The rest is not waited for."""
    read = b""
    async for part in answer.aiter_stream():
        read += part
        if len(read) >= _MOST_REPLY:
            break
    return read[:_MOST_REPLY].decode(errors="replace").replace("\0", "\ufffd")
