"""DTLS and SRTP between two of our own ends, in memory."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomlet.dtls import MTU, Certificate, DtlsPeer, HandshakeFailed
from roomlet.srtp import LONGEST, PROFILES, Profile, Session, SrtpError, profile_named, sessions
from roomlet.tracks import HISTORY

REPORT = b"\x80\xc9\x00\x01\x00\x00\x00\x07"
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
    def test_what_one_side_protects_the_other_reads_once(self, profile: Profile) -> None:
        material = os.urandom(profile.material_bytes)
        server_in, _ = sessions(profile, material)
        _, client_out = sessions(profile, material, is_server=False)
        protected = client_out.protect(RTP)
        assert server_in.unprotect(protected) == RTP
        with pytest.raises(SrtpError):
            server_in.unprotect(protected)

    def test_a_changed_byte_is_refused(self, profile: Profile) -> None:
        material = os.urandom(profile.material_bytes)
        server_in, _ = sessions(profile, material)
        _, client_out = sessions(profile, material, is_server=False)
        protected = bytearray(client_out.protect(RTP))
        protected[-1] ^= 1
        with pytest.raises(SrtpError):
            server_in.unprotect(bytes(protected))

    def test_reports_pass_as_packets_do(self, profile: Profile) -> None:
        server_in, client_out = pair(profile)
        protected = client_out.protect_rtcp(REPORT)
        assert protected != REPORT
        assert server_in.unprotect_rtcp(protected) == REPORT
        with pytest.raises(SrtpError):
            server_in.unprotect_rtcp(protected)

    @pytest.mark.parametrize("way", ["protect", "unprotect", "protect_rtcp", "unprotect_rtcp"])
    def test_what_is_longer_than_any_packet_is_refused(self, profile: Profile, way: str) -> None:
        one, _ = pair(profile)
        with pytest.raises(SrtpError):
            getattr(one, way)(RTP + bytes(LONGEST))

    def test_a_packet_of_any_length_comes_out_as_it_went_in(self, profile: Profile) -> None:
        server_in, client_out = pair(profile)
        for sequence, size in enumerate((0, 1, 1200, 1500, LONGEST - 28)):
            packet = b"\x80\x6f" + sequence.to_bytes(2, "big") + bytes(8) + os.urandom(size)
            assert server_in.unprotect(client_out.protect(packet)) == packet

    def test_what_is_asked_for_again_goes_out_and_comes_in_late(self, profile: Profile) -> None:
        server_in, client_out = pair(profile)
        packets = [b"\x80\x6f" + number.to_bytes(2, "big") + bytes(8) + b"payload" for number in range(HISTORY)]
        for packet in packets:
            client_out.protect(packet)
        late = [client_out.protect(packet) for packet in reversed(packets)]
        assert [server_in.unprotect(packet) for packet in late] == packets[::-1]

    @given(lie=st.binary(min_size=12, max_size=80))
    def test_a_packet_that_lies_about_its_length_never_shows_another_peer_s(self, profile: Profile, lie: bytes) -> None:
        """All sessions of a thread share the memory that packets pass through."""
        server_in, client_out = pair(profile)
        _, other_out = pair(profile)
        other_out.protect(RTP + b"SECRET" * 200)
        try:
            protected = client_out.protect(lie)
        except SrtpError:
            return
        other_out.protect(RTP[:3] + b"\x02" + RTP[4:] + b"SECRET" * 200)
        assert server_in.unprotect(protected) == lie

    def test_threads_do_not_share_memory(self, profile: Profile) -> None:
        def converse(number: int) -> bool:
            server_in, client_out = pair(profile)
            packets = [
                b"\x80\x6f" + sequence.to_bytes(2, "big") + bytes(8) + bytes([number]) * 900 for sequence in range(2000)
            ]
            return all(server_in.unprotect(client_out.protect(packet)) == packet for packet in packets)

        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(converse, range(4)))


def pair(profile: Profile) -> tuple[Session, Session]:
    """Where the server reads what the client has protected."""
    material = os.urandom(profile.material_bytes)
    return sessions(profile, material)[0], sessions(profile, material, is_server=False)[1]


def test_an_unknown_profile_is_none() -> None:
    assert profile_named(b"") is None
