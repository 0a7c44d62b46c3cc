"""HTTP connections that lead to public addresses only: the address that was looked at is the one connected to.

A name that led somewhere public a moment ago may lead elsewhere now, or with every other answer. Redirects are not
followed by whoever uses this, so nobody is sent on to somewhere private either.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address
from typing import Any, Final

import httpcore

from rymi_server.foundation.public_url import NotPublic, is_public

# All that may become of a request besides an answer; `told` puts it into words.
NO_ANSWER: Final = (
    NotPublic,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    ssl.SSLError,
    OSError,
    UnicodeError,
)


def public_connections(
    *, allow_private: bool, trust: ssl.SSLContext | None, most: int, most_idle: int, idle_s: float
) -> httpcore.AsyncConnectionPool:
    """`allow_private` is for development."""
    return httpcore.AsyncConnectionPool(
        ssl_context=trust or authorities_here(),
        max_connections=most,
        max_keepalive_connections=most_idle,
        keepalive_expiry=idle_s,
        network_backend=_PublicNetwork(allow_private=allow_private),
    )


@cache
def authorities_here() -> ssl.SSLContext:
    """To read them takes a moment. A process that is replaced reads them anew."""
    return ssl.create_default_context()


def told(error: Exception) -> str:
    """One line for whoever reads why there was no answer."""
    return (str(error).partition("\n")[0] or type(error).__name__)[:300]


class _PublicNetwork(httpcore.AsyncNetworkBackend):
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
        addresses = [str(each[4][0]).partition("%")[0] for each in found]
        if not self._allow_private and not all(is_public(ip_address(each)) for each in addresses):
            raise NotPublic("leads to a private or reserved address")
        return addresses[0]
