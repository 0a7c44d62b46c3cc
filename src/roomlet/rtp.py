"""RTP packets as bytes: where the payload begins, how loud the sender says it is, and RED's primary block."""

SILENCE = 127
NO_LEVEL = -1
ONE_WORD = b"\xbe\xde\x00\x01"
"""Begins a header extension of one-byte elements that fill four bytes."""


class BadPacket(ValueError):
    """The bytes are not the packet they claim to be."""


def name_of(ssrc: int) -> bytes:
    """A stream's SSRC as it stands in a packet."""
    return ssrc.to_bytes(4, "big")


def payload_start(packet: bytes, level_id: int) -> tuple[int, int]:
    """Where the payload begins, and the audio level (0 loudest, 127 silence) or `NO_LEVEL`."""
    # How libwebrtc's audio looks, and nearly every packet therefore.
    if len(packet) >= 20 and packet[0] == 0x90 and packet[12:16] == ONE_WORD and packet[16] == level_id << 4 != 0:
        return 20, packet[17] & SILENCE
    start, level = 12 + 4 * (packet[0] & 0x0F), NO_LEVEL
    if packet[0] & 0x10:
        words = start + 4
        if len(packet) < words:
            raise BadPacket("the header extension is cut off")
        end = words + 4 * ((packet[start + 2] << 8) | packet[start + 3])
        if level_id and end <= len(packet) and packet[start] == 0xBE and packet[start + 1] == 0xDE:
            level = _one_byte_level(packet, words, end, level_id)
        start = end
    if start > len(packet):
        raise BadPacket("the header is longer than the packet")
    return start, level


def _one_byte_level(packet: bytes, position: int, end: int, level_id: int) -> int:
    while position + 1 < end:
        first = packet[position]
        if first >> 4 == level_id:
            return packet[position + 1] & SILENCE
        position += 2 + (first & 0x0F) if first else 1
    return NO_LEVEL


def red_primary(payload: bytes) -> bytes:
    """RFC 2198: drop the redundant blocks, keep the primary one."""
    position = redundant = 0
    try:
        while payload[position] & 0x80:
            redundant += ((payload[position + 2] & 3) << 8) | payload[position + 3]
            position += 4
    except IndexError:
        raise BadPacket("the redundancy header is cut off") from None
    start = position + 1 + redundant
    if start > len(payload):
        raise BadPacket("the redundant blocks are longer than the payload")
    return payload[start:]
