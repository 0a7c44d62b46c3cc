"""The room server's own port with nothing behind it: datagrams go to the partner as they came.

What that costs on a machine is the floor below which no server in this language gets, however little it does.
"""

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from benchmarks.roomlet_load import HEAD, LEVEL, SyntheticClient
from roomlet.ice import IcePorts, UdpPort, UdpRoute
from roomlet.metrics import Counters
from roomlet.srtp import Session

HELLO = b"\0"
"""The first byte of what is no media; the rest of it says who it is from."""
TAG = bytes(16)
PATIENCE_SECONDS = 10.0


class Partner:
    """Stands where a participant's transport would."""

    def __init__(self) -> None:
        self.route: UdpRoute | None = None

    def on_media(self, datagram: bytes) -> None:
        if self.route is not None:
            self.route.send(datagram)


class BarePort(UdpPort):
    def __init__(self) -> None:
        super().__init__(cast(IcePorts, SimpleNamespace(counters=Counters())), "127.0.0.1", 0)
        self._partners: dict[int, Partner] = {}

    def _check(self, datagram: bytes, address: Any) -> None:
        number = int(datagram[1:])
        route = self.routes[address] = UdpRoute(self, address)
        self.peers[address] = cast(Any, self._partners.setdefault(number, Partner()))
        self._partners.setdefault(number ^ 1, Partner()).route = route
        route.send(HELLO)


class Plain:
    """Packets as long as encrypted ones, read without the extension that a room server cuts off."""

    def protect(self, packet: bytes) -> bytes:
        return packet + TAG

    def unprotect(self, datagram: bytes) -> bytes:
        return datagram[: HEAD.size] + datagram[HEAD.size + len(LEVEL) : -len(TAG)]


class BareClient(SyntheticClient):
    """One of two who reach each other through a bare port."""

    async def join(self, seconds: float = PATIENCE_SECONDS) -> None:
        at = urlsplit(self.http_url)
        assert at.hostname
        assert at.port
        self._address = (at.hostname, at.port)
        self._inbound = self._outbound = cast(Session, Plain())
        self.watch()
        self.send_raw(HELLO + self.identity.encode())
        async with asyncio.timeout(seconds):
            await self.ready.wait()

    def check(self) -> None:
        """A bare port forgets nobody."""

    def _on_readable(self) -> bool:
        if not self.ready.is_set():
            self.ready.set()
        return super()._on_readable()


async def forward() -> None:
    port = BarePort()
    port.watch()
    print(json.dumps({"http_port": port.number}), file=sys.stderr, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(forward())
