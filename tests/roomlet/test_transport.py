"""A peer's transport without a socket: whose packets it looks at, and that it stays closed."""

import os
import struct
from typing import Any

import pytest

from roomlet import rtcp, sdp
from roomlet.ice import IcePorts
from roomlet.metrics import Counters
from roomlet.rtp import name_of
from roomlet.settings import Settings
from roomlet.srtp import PROFILES, Session, SrtpError, sessions
from roomlet.transport import MOST_REPORTERS, PeerTransport

REPORT = struct.pack("!BBHI", 0x80, 201, 1, 0)


class Nobody:
    """The participant around a transport, who does not care."""

    def __getattr__(self, name: str) -> Any:
        return lambda *about: None


class Receiver(Nobody):
    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def on_rtp(self, packet: bytes) -> None:
        self.heard.append(packet)


def ports() -> IcePorts:
    return IcePorts(Settings("key", "s" * 32), Counters())


def connected() -> tuple[PeerTransport, Session]:
    """A transport with keys, and what its peer protects packets with."""
    transport = PeerTransport(ports(), Nobody())
    material = os.urandom(PROFILES[0].material_bytes)
    transport._inbound, transport._outbound = sessions(PROFILES[0], material)
    return transport, sessions(PROFILES[0], material, is_server=False)[1]


def rtp(sequence: int, name: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, sequence, 960 * sequence, name) + b"payload"


class TestNames:
    """libsrtp remembers each name (SSRC) it has read a packet of, for as long as the connection lasts."""

    async def test_packets_of_no_track_are_not_read(self) -> None:
        transport, peer = connected()
        assert transport._inbound is not None
        protected = peer.protect(rtp(1, name=7))
        transport.on_media(protected)
        # What was read once would be refused as repeated.
        assert transport._inbound.unprotect(protected) == rtp(1, name=7)

    async def test_a_track_that_comes_late_is_heard_from_its_next_packet(self) -> None:
        transport, peer = connected()
        receiver = Receiver()
        for sequence in range(3):
            transport.on_media(peer.protect(rtp(sequence, name=7)))
        transport.receivers[name_of(7)] = receiver
        for sequence in range(3, 6):
            transport.on_media(peer.protect(rtp(sequence, name=7)))
        assert receiver.heard == [rtp(sequence, name=7) for sequence in range(3, 6)]

    async def test_reports_are_read_under_a_few_names(self) -> None:
        transport, peer = connected()
        assert transport._inbound is not None
        for name in range(MOST_REPORTERS + 1):
            protected = peer.protect_rtcp(REPORT[:4] + name_of(name))
            transport.on_media(protected)
            if name < MOST_REPORTERS:
                with pytest.raises(SrtpError):
                    transport._inbound.unprotect_rtcp(protected)
        assert transport._inbound.unprotect_rtcp(protected) == REPORT[:4] + name_of(MOST_REPORTERS)

    async def test_a_name_that_is_known_goes_on_reporting(self) -> None:
        transport, peer = connected()
        asked: list[str] = []

        class Sender(Nobody):
            def on_key_frame_request(self) -> None:
                asked.append("a key frame")

        transport.senders[5] = Sender()
        for name in range(MOST_REPORTERS + 1):
            transport.on_media(peer.protect_rtcp(REPORT[:4] + name_of(name)))
        transport.on_media(peer.protect_rtcp(rtcp.picture_loss(5)))
        assert asked == ["a key frame"]


class TestClosed:
    async def test_it_is_not_found_again_by_an_offer(self) -> None:
        shared = ports()
        transport = PeerTransport(shared, Nobody())

        def offer(ufrag: str) -> sdp.Description:
            return sdp.parse(f"v=0\nm=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\na=ice-ufrag:{ufrag}\n")

        transport.accept_offer(offer("one"))
        assert list(shared.by_ufrag.values()) == [transport]
        transport.close()
        transport.accept_offer(offer("another"))
        transport.restart()
        assert shared.by_ufrag == {}
