"""Data channels at their edge: pieces of a message whose last never comes, and channels without end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG, DataChunk
from tests.roomlet.waiting import eventually

from roomlet.sctp import LONGEST_LABEL, MOST_CHANNELS, OVERDRAFT_BYTES, PORT, Channel, Sctp

WINDOW_BYTES = 1024 * 1024
PIECE = 1024


@dataclass
class Wire:
    """One end of a DTLS association in memory. `other` is told what this end sends."""

    is_connected: bool = True
    other: "Sctp | None" = None
    sent: list[bytes] = field(default_factory=list)

    def send_data(self, data: bytes) -> None:
        self.sent.append(data)
        if self.other is not None:
            self.other.receive(data)

    def close(self) -> None:
        self.is_connected = False


def nobody(_: Channel) -> None:
    """Nobody waits for channels."""


async def associated(on_channel: Callable[[Channel], None]) -> tuple[Wire, Sctp, Sctp]:
    """The server's end of the wire, the server, and a client."""
    ours, theirs = Wire(), Wire()
    server, client = Sctp(ours, 65536, on_channel), Sctp(theirs, 65536, nobody)
    ours.other, theirs.other = client, server
    await asyncio.gather(server.start(PORT), client.start(PORT))
    peer: Any = client._transport
    await eventually("the association stands", lambda: peer._association_state.name == "ESTABLISHED")
    return ours, server, client


class TestReassembly:
    async def test_a_peer_that_sends_more_than_its_window_is_cut_off(self) -> None:
        ours, server, client = await associated(nobody)
        peer: Any = client._transport
        sent, tsn = 0, peer._local_tsn
        while ours.is_connected and sent < WINDOW_BYTES + 4 * OVERDRAFT_BYTES:
            piece = DataChunk(flags=SCTP_DATA_FIRST_FRAG if sent == 0 else 0)
            piece.tsn, piece.stream_id, piece.stream_seq, piece.protocol = tsn % (1 << 32), 1, 0, 51
            piece.user_data = b"x" * PIECE
            await peer._send_chunk(piece)
            sent, tsn = sent + PIECE, tsn + 1
            await asyncio.sleep(0)
        assert not ours.is_connected
        assert sent > WINDOW_BYTES
        server.stop()
        client.stop()


class TestChannels:
    async def test_a_peer_that_opens_too_many_is_cut_off(self) -> None:
        opened: list[Channel] = []
        ours, server, client = await associated(opened.append)
        for number in range(MOST_CHANNELS):
            client.open_channel(f"channel {number}")
        await eventually("the server has them all", lambda: len(opened) == MOST_CHANNELS)
        assert ours.is_connected
        client.open_channel("one more")
        await eventually("the peer is cut off", lambda: not ours.is_connected)
        assert len(opened) == MOST_CHANNELS
        server.stop()
        client.stop()

    async def test_so_is_one_that_gives_a_channel_an_endless_name(self) -> None:
        opened: list[Channel] = []
        ours, server, client = await associated(opened.append)
        client.open_channel("x" * LONGEST_LABEL)
        await eventually("the server has it", lambda: len(opened) == 1)
        client.open_channel("x" * (LONGEST_LABEL + 1))
        await eventually("the peer is cut off", lambda: not ours.is_connected)
        assert len(opened) == 1
        server.stop()
        client.stop()
