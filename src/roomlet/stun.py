"""STUN binding requests and their answers, as bytes. Knows no socket: an ICE-lite server needs nothing else of STUN."""

import hashlib
import hmac
import ipaddress
import struct
import zlib
from dataclasses import dataclass

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
XOR_MAPPED_ADDRESS = 0x0020
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
FINGERPRINT_XOR = 0x5354554E
HEADER_BYTES = 20
DIGEST_BYTES = 20


@dataclass(frozen=True, slots=True)
class BindingRequest:
    transaction: bytes
    local_ufrag: str
    use_candidate: bool
    integrity: bytes
    covered: bytes

    def is_signed_with(self, password: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(password, self.covered, hashlib.sha1), self.integrity)


def parse_binding_request(data: bytes) -> BindingRequest | None:
    """Returns None for anything but a well-formed binding request that carries a user name and an integrity digest."""
    if len(data) < HEADER_BYTES:
        return None
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if kind != BINDING_REQUEST or cookie != MAGIC_COOKIE or length + HEADER_BYTES != len(data):
        return None
    username = integrity = covered = None
    use_candidate = False
    position = HEADER_BYTES
    while position + 4 <= len(data):
        attribute, size = struct.unpack_from("!HH", data, position)
        value = data[position + 4 : position + 4 + size]
        if len(value) != size:
            return None
        if attribute == USERNAME:
            username = value.decode("utf-8", "replace")
        elif attribute == MESSAGE_INTEGRITY and size == DIGEST_BYTES:
            # What follows the digest is not covered by it, so nothing after it is believed.
            integrity = value
            covered = data[:2] + struct.pack("!H", position - HEADER_BYTES + 24) + data[4:position]
            break
        elif attribute == USE_CANDIDATE:
            use_candidate = True
        position += 4 + ((size + 3) & ~3)
    if username is None or integrity is None or covered is None:
        return None
    return BindingRequest(data[8:20], username.partition(":")[0], use_candidate, integrity, covered)


def binding_success(transaction: bytes, password: bytes, host: str, port: int) -> bytes:
    """The signed answer that tells the asker which address its request came from."""
    address = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    mask = struct.pack("!I", MAGIC_COOKIE) + transaction
    hidden = bytes(a ^ b for a, b in zip(address.packed, mask, strict=False))
    family = 1 if address.version == 4 else 2
    mapped = struct.pack("!BBH", 0, family, port ^ (MAGIC_COOKIE >> 16)) + hidden
    body = struct.pack("!HH", XOR_MAPPED_ADDRESS, len(mapped)) + mapped
    head = struct.pack("!HHI", BINDING_SUCCESS, len(body) + 24, MAGIC_COOKIE) + transaction
    message = head + body
    message += struct.pack("!HH", MESSAGE_INTEGRITY, DIGEST_BYTES) + hmac.digest(password, message, hashlib.sha1)
    message = message[:2] + struct.pack("!H", len(message) - HEADER_BYTES + 8) + message[4:]
    return message + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(message) ^ FINGERPRINT_XOR)
