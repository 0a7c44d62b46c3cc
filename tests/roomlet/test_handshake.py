"""DTLS and SRTP between two of our own ends, in memory."""

import os

import pytest

from roomlet.dtls import MTU, Certificate, DtlsPeer, HandshakeFailed
from roomlet.srtp import PROFILES, SrtpError, profile_named, sessions

RTP = b"\x80\x6f\x00\x01" + b"\0" * 8 + b"payload"


class Wire:
    """Two ends and what they said to each other."""

    def __init__(self) -> None:
        self.certificates = Certificate(), Certificate()
        self.datagrams: list[tuple[int, bytes]] = []
        self.ends = (
            DtlsPeer(self.certificates[0], lambda d: self.datagrams.append((1, d)), is_server=True),
            DtlsPeer(self.certificates[1], lambda d: self.datagrams.append((0, d)), is_server=False),
        )

    def run(self, lose: int | None = None) -> list[bytes]:
        """Delivers until nobody has anything to say; `lose` drops that one datagram."""
        said: list[bytes] = []
        number = 0
        while self.datagrams:
            to, datagram = self.datagrams.pop(0)
            if number != lose:
                said += self.ends[to].receive(datagram)
            number += 1
        return said

    def promise(self, end: int) -> list[tuple[str, str]]:
        return [("sha-256", self.certificates[end].fingerprint)]


@pytest.fixture
def wire() -> Wire:
    connected = Wire()
    connected.ends[1].handshake()
    return connected


class TestHandshake:
    def test_both_ends_finish_and_talk(self, wire: Wire) -> None:
        wire.run()
        assert wire.ends[0].is_established
        assert wire.ends[1].is_established
        wire.ends[1].send(b"hello")
        assert wire.run() == [b"hello"]

    def test_datagrams_fit_any_path(self, wire: Wire) -> None:
        sizes = []
        while wire.datagrams:
            to, datagram = wire.datagrams.pop(0)
            sizes.append(len(datagram))
            wire.ends[to].receive(datagram)
        assert max(sizes) <= MTU

    def test_media_keys_match(self, wire: Wire) -> None:
        wire.run()
        _, server_out = wire.ends[0].srtp_sessions(wire.promise(1))
        client_in, _ = wire.ends[1].srtp_sessions(wire.promise(0))
        assert client_in.unprotect(server_out.protect(RTP)) == RTP

    def test_a_peer_with_another_certificate_than_promised_gets_no_keys(self, wire: Wire) -> None:
        wire.run()
        for promised in ([("sha-256", Certificate().fingerprint)], [("md5", "00")], []):
            with pytest.raises(HandshakeFailed):
                wire.ends[0].srtp_sessions(promised)

    def test_garbage_before_and_during_the_handshake_changes_nothing(self, wire: Wire) -> None:
        wire.ends[0].receive(b"\x16" + os.urandom(100))
        wire.run()
        wire.ends[0].receive(b"\x17" + os.urandom(100))
        wire.ends[1].send(b"still here")
        assert wire.run() == [b"still here"]

    def test_a_goodbye_is_heard(self, wire: Wire) -> None:
        wire.run()
        wire.ends[1].close()
        wire.run()
        assert wire.ends[0].is_closed


@pytest.mark.parametrize("profile", PROFILES, ids=lambda p: p.name.decode())
class TestSrtp:
    def test_what_one_side_protects_the_other_reads_once(self, profile) -> None:  # type: ignore[no-untyped-def]
        material = os.urandom(profile.material_bytes)
        server_in, _ = sessions(profile, material)
        _, client_out = sessions(profile, material, is_server=False)
        protected = client_out.protect(RTP)
        assert server_in.unprotect(protected) == RTP
        with pytest.raises(SrtpError):
            server_in.unprotect(protected)

    def test_a_changed_byte_is_refused(self, profile) -> None:  # type: ignore[no-untyped-def]
        material = os.urandom(profile.material_bytes)
        server_in, _ = sessions(profile, material)
        _, client_out = sessions(profile, material, is_server=False)
        protected = bytearray(client_out.protect(RTP))
        protected[-1] ^= 1
        with pytest.raises(SrtpError):
            server_in.unprotect(bytes(protected))


def test_an_unknown_profile_is_none() -> None:
    assert profile_named(b"") is None
