"""The addresses that we listen on and are asked at."""

import asyncio
import errno
import socket
from typing import Final
from urllib.parse import urlsplit

from rymi_server.foundation.errors import Unavailable

_MAY_WAIT = 2_048
_CONNECTS_WITHIN_SECONDS: Final = 3
_PORTS_OF_TLS: Final = {"wss": 443, "https": 443}
_EVERYWHERE = {"0.0.0.0": "localhost", "::": "localhost", "": "localhost"}  # noqa: S104 - Only compared with.


class PortTaken(Unavailable):
    code = "port_taken"

    def __init__(self, host: str, port: int, setting: str, because: str) -> None:
        super().__init__(
            f"Cannot listen on port {port} of {host}: {because}. {setting} chooses another port.", retryable=False
        )


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A socket that accepts connections, or `PortTaken`, naming the setting that changes the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_MAY_WAIT)
    except OSError as error:
        because = "something else listens there" if error.errno == errno.EADDRINUSE else str(error.strerror or error)
        raise PortTaken(host, port, setting, because) from error


def refuse_taken(host: str, port: int, setting: str) -> None:
    listen(host, port, setting).close()


def url_on_this_machine(host: str, port: int) -> str:
    """Where somebody on this machine finds what listens at `host`."""
    name = _EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def as_socket(url: str) -> str:
    """The same place, for who speaks through a WebSocket."""
    return url.replace("http", "ws", 1)


async def is_listened_at(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or _PORTS_OF_TLS.get(parts.scheme, 80)
    try:
        async with asyncio.timeout(_CONNECTS_WITHIN_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
