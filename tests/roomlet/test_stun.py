"""Binding requests and answers, byte by byte, against the test vectors of RFC 5769 and a reader of our own."""

import hashlib
import hmac
import ipaddress
import struct

import pytest

from roomlet import stun

# RFC 5769, section 2.1: a request by "evtj:h6vY" signed with "VOkJxbRl1RmTxUk/WvJxBt".
SAMPLE = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"


def attributes(message: bytes) -> dict[int, bytes]:
    found, position = {}, stun.HEADER_BYTES
    while position < len(message):
        kind, size = struct.unpack_from("!HH", message, position)
        found[kind] = message[position + 4 : position + 4 + size]
        position += 4 + ((size + 3) & ~3)
    return found


class TestRequests:
    def test_the_rfc_s_sample_is_understood_and_its_signature_holds(self) -> None:
        request = stun.parse_binding_request(SAMPLE)
        assert request is not None
        assert request.local_ufrag == "evtj"
        assert request.transaction == SAMPLE[8:20]
        assert request.is_signed_with(PASSWORD)
        assert not request.is_signed_with(b"another password")

    def test_a_changed_byte_breaks_the_signature(self) -> None:
        request = stun.parse_binding_request(SAMPLE[:30] + b"X" + SAMPLE[31:])
        assert request is not None
        assert not request.is_signed_with(PASSWORD)

    def test_what_follows_the_signature_is_not_believed(self) -> None:
        nominate = struct.pack("!HH", stun.USE_CANDIDATE, 0)
        longer = SAMPLE[:2] + struct.pack("!H", len(SAMPLE) - 20 + len(nominate)) + SAMPLE[4:] + nominate
        request = stun.parse_binding_request(longer)
        assert request is not None
        assert not request.use_candidate

    @pytest.mark.parametrize("broken", [b"", SAMPLE[:19], SAMPLE[:-1], SAMPLE + b"x", b"\x01" + SAMPLE[1:]])
    def test_anything_else_is_nobody_s_request(self, broken: bytes) -> None:
        assert stun.parse_binding_request(broken) is None


class TestAnswers:
    @pytest.mark.parametrize(
        ("host", "seen"),
        [
            ("192.0.2.1", "192.0.2.1"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:192.0.2.9", "192.0.2.9"),
            ("fe80::1%eth0", "fe80::1"),
        ],
    )
    def test_the_asker_learns_its_own_address(self, host: str, seen: str) -> None:
        transaction = bytes(range(12))
        message = stun.binding_success(transaction, PASSWORD, host, 32853)
        mapped = attributes(message)[stun.XOR_MAPPED_ADDRESS]
        port = struct.unpack_from("!H", mapped, 2)[0] ^ (stun.MAGIC_COOKIE >> 16)
        mask = struct.pack("!I", stun.MAGIC_COOKIE) + transaction
        address = ipaddress.ip_address(bytes(a ^ b for a, b in zip(mapped[4:], mask, strict=False)))
        assert (str(address), port) == (seen, 32853)

    def test_the_answer_is_signed(self) -> None:
        message = stun.binding_success(bytes(12), PASSWORD, "192.0.2.1", 1)
        position = message.index(struct.pack("!HH", stun.MESSAGE_INTEGRITY, 20))
        covered = message[:2] + struct.pack("!H", position - 20 + 24) + message[4:position]
        assert attributes(message)[stun.MESSAGE_INTEGRITY] == hmac.digest(PASSWORD, covered, hashlib.sha1)
