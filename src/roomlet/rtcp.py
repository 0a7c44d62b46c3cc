"""RTCP as values: what peers report and ask, and the packets the server writes."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

SENDER_REPORT, RECEIVER_REPORT, TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK = 200, 201, 205, 206
PICTURE_LOSS, FULL_INTRA_REQUEST = 1, 4
SERVER_SSRC = 1
"""The server sends no media of its own; its reports need some name."""
MOST_NACKED = 16
MOST_LOST = 128
"""What is read of one request: no more packets are kept to be sent again."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    clock: bytes
    """NTP time and RTP timestamp, which a forwarded copy keeps."""
    middle_ntp: int


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    ssrc: int
    fraction_lost: int
    lost: int
    """Of all packets so far; less than none where some came twice."""


@dataclass(frozen=True, slots=True)
class Nack:
    ssrc: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class KeyFrameRequest:
    ssrc: int


Report = SenderReport | ReceptionReport | Nack | KeyFrameRequest


def parse(data: bytes) -> Iterator[Report]:
    """Yields what the server acts on; stops quietly at the first packet that does not fit its own length."""
    position = 0
    while position + 8 <= len(data):
        first, kind, words, ssrc = struct.unpack_from("!BBHI", data, position)
        end = position + 4 + 4 * words
        if first >> 6 != 2 or words < 1 or end > len(data):
            return
        yield from _one(data[position:end], kind, first & 31, ssrc)
        position = end


def _one(packet: bytes, kind: int, count: int, ssrc: int) -> Iterator[Report]:
    if kind == SENDER_REPORT and len(packet) >= 28:
        yield SenderReport(ssrc, packet[8:20], struct.unpack_from("!I", packet, 10)[0])
        yield from _reception(packet, 28, count)
    elif kind == RECEIVER_REPORT:
        yield from _reception(packet, 8, count)
    elif kind == TRANSPORT_FEEDBACK and count == 1 and len(packet) >= 16:
        media = struct.unpack_from("!I", packet, 8)[0]
        yield Nack(media, tuple(dict.fromkeys(islice(_lost(packet), MOST_LOST))))
    elif kind == PAYLOAD_FEEDBACK and count == PICTURE_LOSS and len(packet) >= 12:
        yield KeyFrameRequest(struct.unpack_from("!I", packet, 8)[0])
    elif kind == PAYLOAD_FEEDBACK and count == FULL_INTRA_REQUEST and len(packet) >= 20:
        yield KeyFrameRequest(struct.unpack_from("!I", packet, 12)[0])


def _reception(packet: bytes, start: int, count: int) -> Iterator[ReceptionReport]:
    for position in range(start, min(start + 24 * count, len(packet) - 23), 24):
        ssrc, losses = struct.unpack_from("!II", packet, position)
        lost = losses & 0xFFFFFF
        yield ReceptionReport(ssrc, losses >> 24, lost - (lost >> 23 << 24))


def _lost(packet: bytes) -> Iterator[int]:
    for position in range(12, len(packet) - 3, 4):
        first, mask = struct.unpack_from("!HH", packet, position)
        yield first
        yield from ((first + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1)


def receiver_report(ssrc: int, fraction_lost: int, lost: int, highest: int, middle_ntp: int, delay: int) -> bytes:
    head = struct.pack("!BBHI", 0x81, RECEIVER_REPORT, 7, SERVER_SSRC)
    losses = (fraction_lost << 24) | min(lost, 0x7FFFFF)
    return head + struct.pack("!IIIIII", ssrc, losses, highest & 0xFFFFFFFF, 0, middle_ntp, delay & 0xFFFFFFFF)


def sender_report(ssrc: int, clock: bytes, packets: int, octets: int) -> bytes:
    head = struct.pack("!BBHI", 0x80, SENDER_REPORT, 6, ssrc)
    return head + clock + struct.pack("!II", packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)


def nack(ssrc: int, sequences: Sequence[int]) -> bytes:
    asked = b"".join(struct.pack("!HH", sequence, 0) for sequence in sequences[:MOST_NACKED])
    return struct.pack("!BBHII", 0x81, TRANSPORT_FEEDBACK, 2 + len(asked) // 4, SERVER_SSRC, ssrc) + asked


def picture_loss(ssrc: int) -> bytes:
    return struct.pack("!BBHII", 0x81, PAYLOAD_FEEDBACK, 2, SERVER_SSRC, ssrc)
