"""Data channels at their edge: a peer that sends pieces of a message and never the last one."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG, DataChunk
from tests.roomlet.waiting import eventually

from roomlet.sctp import OVERDRAFT_BYTES, PORT, Channel, Sctp

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


class TestReassembly:
    async def test_a_peer_that_sends_more_than_its_window_is_cut_off(self) -> None:
        ours, theirs = Wire(), Wire()
        server, client = Sctp(ours, 65536, nobody), Sctp(theirs, 65536, nobody)
        ours.other, theirs.other = client, server
        await asyncio.gather(server.start(PORT), client.start(PORT))
        peer: Any = client._transport
        await eventually("the association stands", lambda: peer._association_state.name == "ESTABLISHED")
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
