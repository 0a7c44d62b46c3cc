"""Sends a webhook, and connects only to public addresses: the address that was looked at is the one connected to.

A name that led somewhere public when the endpoint was registered may lead elsewhere now, or with every other answer.
Redirects are not followed, so nobody is sent on to somewhere private either.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore

from rymi_server.webhooks.errors import UnsafeTarget
from rymi_server.webhooks.targets import is_public, refuse_unsafe

_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
_MOST_REPLY = 4_096
_IDLE_SECONDS = 5.0
_MOST_CONNECTIONS = 100
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
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust or ssl.create_default_context(),
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=20,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_PublicOnly(allow_private=allow_private),
        )

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Never raises for what the other end does or is."""
        try:
            refuse_unsafe(url, allow_private=self._allow_private)
            async with asyncio.timeout(self._seconds):
                return await self._ask(url, headers, body)
        except TimeoutError:
            return Reply(None, None, f"no answer within {self._seconds:g} s")
        except (UnsafeTarget, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            return Reply(None, None, _told(error))
        except (httpcore.UnsupportedProtocol, ssl.SSLError, OSError, UnicodeError) as error:
            return Reply(None, None, _told(error))

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


class _PublicOnly(httpcore.AsyncNetworkBackend):
    """Resolves names itself, and hands on an address that it has looked at."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await self._address(host, port)
        return await self._network.connect_tcp(
            address, port, timeout=timeout, local_address=local_address, socket_options=socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)

    async def _address(self, host: str, port: int) -> str:
        """Some address of `host`. One private address among its addresses is enough to refuse them all."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError("its name leads nowhere") from error
        addresses = [str(each[4][0]) for each in found]
        if not self._allow_private and not all(is_public(ip_address(each.partition("%")[0])) for each in addresses):
            raise UnsafeTarget("leads to a private or reserved address")
        return addresses[0]


def _told(error: Exception) -> str:
    return (str(error).partition("\n")[0] or type(error).__name__)[:300]
