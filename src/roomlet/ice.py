"""ICE-lite over shared ports: one UDP socket an address and one TCP listener an address carry everybody's media.

A client is recognised by the user name of its signed check, and its address is wherever that check came from. So the
server gathers nothing, checks nothing and ignores remote candidates; roaming and NAT need no code.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, Protocol, cast

from roomlet import stun
from roomlet.addresses import is_wildcard, own_addresses
from roomlet.dtls import Certificate
from roomlet.metrics import Counters
from roomlet.settings import Settings

log = logging.getLogger(__name__)
SOCKET_BUFFER = 1024 * 1024
"""A tenth of a second of a hundred rooms. Audio that waited longer is better lost than late."""
FORCED_BUFFERS = (33, 32) if sys.platform == "linux" else ()
"""Linux's SO_RCVBUFFORCE and SO_SNDBUFFORCE, for which Python has no names."""
DATAGRAM = 2048
BURST = 128
"""Datagrams taken at one wake-up, so that a flood on the media port leaves the loop time for signalling."""
BUSY_SECONDS, GATHER_SECONDS = 0.0002, 0.001
MOST_BUFFERED = 65536
FIRST_AFTER_STUN = 4
"""By their first byte (RFC 7983): below it connectivity checks, from it on what only a peer can send."""
UNPROVEN_SECONDS = 10.0
"""How long a TCP connection may stay open without a signed check."""
UDP_PRIORITY, TCP_PRIORITY = 2130706431, 1671430143


class PortTaken(Exception):
    """Another process holds the port."""


class Route(Protocol):
    """One way to one peer. Its identity is its address."""

    def send(self, datagram: bytes) -> None: ...
    def forget(self) -> None: ...


class Peer(Protocol):
    """Whoever holds a user name: what the ports hand its datagrams to."""

    def password(self, ufrag: str) -> bytes: ...
    def on_check(self, route: Route, use_candidate: bool) -> None: ...
    def on_media(self, datagram: bytes) -> None: ...
    def on_dtls(self, datagram: bytes) -> None: ...
    def on_route_lost(self, route: Route) -> None: ...


class UdpRoute:
    __slots__ = ("address", "port")

    def __init__(self, port: "UdpPort", address: Any) -> None:
        self.port, self.address = port, address

    def send(self, datagram: bytes) -> None:
        try:
            self.port.socket.sendto(datagram, self.address)
        except OSError:
            self.port.ports.counters.send_failures += 1

    def forget(self) -> None:
        self.port.routes.pop(self.address, None)
        self.port.peers.pop(self.address, None)


class UdpPort:
    def __init__(self, ports: "IcePorts", address: str, number: int) -> None:
        self.ports = ports
        self.host = address
        self.socket = bind_udp(address, number)
        self.number: int = self.socket.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._woken_at = 0.0
        self._gathering: asyncio.TimerHandle | None = None
        self.routes: dict[Any, UdpRoute] = {}
        self.peers: dict[Any, Peer] = {}

    def watch(self) -> None:
        self._loop.add_reader(self.socket.fileno(), self._on_readable)

    def close(self) -> None:
        self._loop.remove_reader(self.socket.fileno())
        if self._gathering is not None:
            self._gathering.cancel()
        self.socket.close()

    def _on_readable(self) -> None:
        """Waking up costs as much as forwarding a packet. So when packets come close together, the port is read once a
        millisecond instead of at each of them, until a millisecond passes without any."""
        self._receive()
        now = self._loop.time()
        is_busy = now - self._woken_at < BUSY_SECONDS
        self._woken_at = now
        if is_busy:
            self._loop.remove_reader(self.socket.fileno())
            self._gathering = self._loop.call_later(GATHER_SECONDS, self._gather)

    def _gather(self) -> None:
        if self._receive():
            self._gathering = self._loop.call_later(GATHER_SECONDS, self._gather)
        else:
            self.watch()

    def _receive(self) -> int:
        receive, peer_at = self.socket.recvfrom, self.peers.get
        for taken in range(BURST):
            try:
                datagram, address = receive(DATAGRAM)
            except BlockingIOError:
                return taken
            except OSError:
                continue
            if not datagram:
                continue
            first = datagram[0]
            if first < FIRST_AFTER_STUN:
                self._check(datagram, address)
            elif peer := peer_at(address):
                deliver(peer, datagram, first)
        return BURST

    def _check(self, datagram: bytes, address: Any) -> None:
        claim = self.ports.checked(datagram)
        if claim is None:
            return
        peer, request, password = claim
        route = self.routes.get(address)
        if route is None:
            route = self.routes[address] = UdpRoute(self, address)
        self.peers[address] = peer
        route.send(stun.binding_success(request.transaction, password, address[0], address[1]))
        peer.on_check(route, request.use_candidate)


class TcpRoute(asyncio.Protocol):
    """ICE-TCP, passive (RFC 6544): the same packets, each behind a two-byte length (RFC 4571)."""

    def __init__(self, ports: "IcePorts") -> None:
        self._ports = ports
        self._buffer = b""
        self._peer: Peer | None = None
        self._transport: asyncio.Transport | None = None
        self._unproven: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports keep the interface without inheriting from it.
        opened = self._transport = cast(asyncio.Transport, transport)
        self.address = transport.get_extra_info("peername")
        if len(self._ports.tcp_routes) >= self._ports.settings.limits.tcp_connections:
            opened.abort()
            return
        self._ports.tcp_routes.add(self)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unproven = asyncio.get_running_loop().call_later(UNPROVEN_SECONDS, opened.abort)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        position = 0
        while len(buffer) - position >= 2:
            size = (buffer[position] << 8) | buffer[position + 1]
            if len(buffer) - position - 2 < size:
                break
            if size:
                self._sort(buffer[position + 2 : position + 2 + size])
            position += 2 + size
        self._buffer = buffer[position:]

    def _sort(self, packet: bytes) -> None:
        if packet[0] >= FIRST_AFTER_STUN:
            if self._peer is not None:
                deliver(self._peer, packet, packet[0])
            return
        claim = self._ports.checked(packet)
        if claim is None:
            return
        peer, request, password = claim
        self._peer = peer
        if self._unproven is not None:
            self._unproven.cancel()
        self.send(stun.binding_success(request.transaction, password, self.address[0], self.address[1]))
        peer.on_check(self, request.use_candidate)

    def connection_lost(self, error: Exception | None) -> None:
        self._ports.tcp_routes.discard(self)
        if self._unproven is not None:
            self._unproven.cancel()
        if self._peer is not None:
            self._peer.on_route_lost(self)

    def send(self, datagram: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > MOST_BUFFERED:
            self._ports.counters.send_failures += 1
            return
        transport.write(struct.pack("!H", len(datagram)) + datagram)

    def forget(self) -> None:
        self._peer = None
        if self._transport is not None:
            self._transport.close()


def deliver(peer: Peer, datagram: bytes, first: int) -> None:
    """RFC 7983's first byte tells DTLS from media. Whatever a packet breaks, it breaks for its own peer only."""
    try:
        if 127 < first < 192:
            peer.on_media(datagram)
        elif 19 < first < 64:
            peer.on_dtls(datagram)
    except Exception:
        log.exception("a packet broke its peer's transport")


class IcePorts:
    """All sockets of the media path, and who may use them."""

    def __init__(self, settings: Settings, counters: Counters) -> None:
        self.settings = settings
        self.counters = counters
        self.certificate = Certificate()
        self.by_ufrag: dict[str, Peer] = {}
        self.tcp_routes: set[TcpRoute] = set()
        self.candidates: list[str] = []
        self._udp: list[UdpPort] = []
        self._tcp: list[asyncio.Server] = []

    async def open(self) -> None:
        """Raises `PortTaken`."""
        bound: list[tuple[str, str, int]] = []
        for address in self.settings.media_addresses or own_addresses():
            if self.settings.offer_udp:
                port = UdpPort(self, address, self.settings.udp_port)
                port.watch()
                self._udp.append(port)
                bound.append(("udp", address, port.number))
            if self.settings.offer_tcp:
                server = await self._listen(address)
                bound.append(("tcp", address, server.sockets[0].getsockname()[1]))
        self.candidates = candidate_lines(self._advertised(bound))

    async def _listen(self, address: str) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(lambda: TcpRoute(self), address, self.settings.tcp_port)
        except OSError as error:
            raise PortTaken(refusal("TCP", address, self.settings.tcp_port, error)) from None
        self._tcp.append(server)
        return server

    def _advertised(self, bound: Sequence[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
        """Replaces what was bound by what clients are to be told: an outside address, or what a wildcard stands for."""
        told: list[tuple[str, str, int]] = []
        for protocol, address, number in bound:
            own = own_addresses() if is_wildcard(address) else (address,)
            for outside in self.settings.advertised_addresses or own:
                same_family = ipaddress.ip_address(outside).version == ipaddress.ip_address(address).version
                if same_family and (protocol, outside, number) not in told:
                    told.append((protocol, outside, number))
        return told

    async def close(self) -> None:
        for port in self._udp:
            port.close()
        for server in self._tcp:
            server.close()
        for route in list(self.tcp_routes):
            route.forget()

    def checked(self, datagram: bytes) -> tuple[Peer, stun.BindingRequest, bytes] | None:
        """Whose check this is, if it is anybody's and signed with their password."""
        request = stun.parse_binding_request(datagram)
        if request is None:
            return None
        peer = self.by_ufrag.get(request.local_ufrag)
        if peer is None:
            return None
        password = peer.password(request.local_ufrag)
        return (peer, request, password) if request.is_signed_with(password) else None


def candidate_lines(told: Sequence[tuple[str, str, int]]) -> list[str]:
    lines = []
    for rank, (protocol, address, number) in enumerate(told):
        if protocol == "udp":
            lines.append(f"a=candidate:{rank + 1} 1 udp {UDP_PRIORITY - rank} {address} {number} typ host")
        else:
            priority = TCP_PRIORITY - rank
            lines.append(f"a=candidate:{rank + 1} 1 tcp {priority} {address} {number} typ host tcptype passive")
    return lines


def bind_udp(address: str, number: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF, *FORCED_BUFFERS):
        # The kernel caps what it grants; only root may force more. Every packet that waits costs it about 800 bytes.
        with contextlib.suppress(PermissionError):
            opened.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        opened.bind((address, number))
    except OSError as error:
        opened.close()
        raise PortTaken(refusal("UDP", address, number, error)) from None
    return opened


def refusal(protocol: str, address: str, number: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{protocol} port {number} on {address} is taken by another process; choose another or stop it."
    return f"{protocol} port {number} on {address} cannot be opened: {error.strerror or error}."
