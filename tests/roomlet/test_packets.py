"""RTP, RTCP, redundancy and reception, without a socket."""

import struct

import pytest

from roomlet import rtcp
from roomlet.loudness import Loudness
from roomlet.reception import Reception
from roomlet.rtp import NO_LEVEL, BadPacket, payload_start, red_primary
from roomlet.tracks import HISTORY

HEAD = struct.pack("!BBHII", 0x80, 111, 7, 960, 1234)


def extended(elements: bytes, first: int = 0x90, profile: int = 0xBEDE) -> bytes:
    padded = elements + b"\0" * (-len(elements) % 4)
    return bytes([first]) + HEAD[1:] + struct.pack("!HH", profile, len(padded) // 4) + padded + b"payload"


CUT_OFF = [extended(bytes([0x10, 42]))[:size] for size in range(13, 20)]


class TestHeader:
    def test_without_extension_the_payload_follows(self) -> None:
        assert payload_start(HEAD + b"payload", 1) == (12, NO_LEVEL)

    def test_contributing_sources_are_skipped(self) -> None:
        packet = bytes([0x82]) + HEAD[1:] + b"\0" * 8 + b"payload"
        assert payload_start(packet, 1) == (20, NO_LEVEL)

    def test_the_level_is_found_behind_other_elements(self) -> None:
        packet = extended(b"\x30x" + b"\0" + bytes([0x10, 0x80 | 42]))
        start, level = payload_start(packet, 1)
        assert (packet[start:], level) == (b"payload", 42)

    def test_the_level_is_found_alone(self) -> None:
        packet = extended(bytes([0x10, 0x80 | 42]))
        assert payload_start(packet, 1) == (20, 42)
        assert payload_start(packet, 2) == (20, NO_LEVEL)

    def test_padding_is_no_level_when_none_was_agreed(self) -> None:
        assert payload_start(extended(bytes([0, 42])), 0) == (20, NO_LEVEL)

    def test_an_extension_of_another_form_has_no_level(self) -> None:
        assert payload_start(extended(bytes([0x10, 42]), profile=0x1000), 1)[1] == NO_LEVEL

    @pytest.mark.parametrize("packet", [bytes([0x9F]) + HEAD[1:], bytes([0x8F]) + HEAD[1:], *CUT_OFF])
    def test_a_header_longer_than_its_packet_is_refused(self, packet: bytes) -> None:
        with pytest.raises(BadPacket):
            payload_start(packet, 1)


class TestRedundancy:
    def test_only_the_primary_block_is_kept(self) -> None:
        older = bytes([0x80 | 111]) + struct.pack("!I", (960 << 10) | 3)[1:]
        assert red_primary(older + bytes([111]) + b"old" + b"new") == b"new"

    def test_a_packet_without_redundancy_is_its_primary(self) -> None:
        assert red_primary(bytes([111]) + b"new") == b"new"

    @pytest.mark.parametrize("payload", [b"", b"\x80", b"\xff\x00\x03\xff\x6f"])
    def test_a_broken_one_is_refused(self, payload: bytes) -> None:
        with pytest.raises(BadPacket):
            red_primary(payload)


class TestReports:
    def test_a_sender_report_keeps_its_clock(self) -> None:
        clock = struct.pack("!III", 0xAAAABBBB, 0xCCCCDDDD, 960)
        (report,) = rtcp.parse(rtcp.sender_report(5, clock, 10, 800))
        assert report == rtcp.SenderReport(5, clock, 0xBBBBCCCC)

    def test_what_was_lost_is_read_back(self) -> None:
        (report,) = rtcp.parse(rtcp.receiver_report(5, 64, 10, 70000, 0, 0))
        assert report == rtcp.ReceptionReport(5, 64, 10)

    def test_less_than_nothing_can_be_lost(self) -> None:
        (report,) = rtcp.parse(struct.pack("!BBHIIIIIII", 0x81, 201, 7, 1, 5, 0x00FFFFFE, 0, 0, 0, 0))
        assert report == rtcp.ReceptionReport(5, 0, -2)

    def test_requests_are_read_back(self) -> None:
        assert list(rtcp.parse(rtcp.nack(5, [7, 9]) + rtcp.picture_loss(6))) == [
            rtcp.Nack(5, (7, 9)),
            rtcp.KeyFrameRequest(6),
        ]

    def test_a_mask_names_the_packets_after_the_first(self) -> None:
        packet = struct.pack("!BBHIIHH", 0x81, 205, 3, 1, 5, 65535, 0b101)
        assert list(rtcp.parse(packet)) == [rtcp.Nack(5, (65535, 0, 2))]

    def test_no_packet_is_asked_for_twice_in_one_request(self) -> None:
        packet = struct.pack("!BBHII", 0x81, 205, 6, 1, 5) + struct.pack("!HH", 7, 0b11) * 4
        assert list(rtcp.parse(packet)) == [rtcp.Nack(5, (7, 8, 9))]

    def test_no_request_is_read_beyond_what_is_kept(self) -> None:
        packet = struct.pack("!BBHII", 0x81, 205, 402, 1, 5)
        packet += b"".join(struct.pack("!HH", 17 * number, 0xFFFF) for number in range(400))
        assert list(rtcp.parse(packet)) == [rtcp.Nack(5, tuple(range(HISTORY)))]

    def test_a_packet_that_claims_more_than_it_has_ends_the_reading(self) -> None:
        assert list(rtcp.parse(rtcp.picture_loss(6) + struct.pack("!BBHI", 0x81, 205, 99, 1))) == [
            rtcp.KeyFrameRequest(6)
        ]


class TestReception:
    def test_gaps_are_counted_once_and_asked_for_a_few_times(self) -> None:
        reception = Reception()
        assert [reception.see(n) for n in (10, 11, 14, 15)] == [0, 0, 2, 0]
        assert [reception.to_ask_again() for _ in range(4)] == [[12, 13], [12, 13], [12, 13], []]

    def test_what_comes_late_is_not_asked_for(self) -> None:
        reception = Reception()
        for number in (10, 12, 11):
            reception.see(number)
        assert reception.to_ask_again() == []

    def test_numbers_start_over_without_loss(self) -> None:
        reception = Reception()
        assert sum(reception.see(number & 0xFFFF) for number in range(65500, 65600)) == 0
        report = reception.report(5, now=1.0)
        assert report is not None
        assert struct.unpack_from("!II", report, 12) == (0, 65599)

    def test_a_report_tells_the_share_lost_since_the_last_one(self) -> None:
        reception = Reception()
        for number in (0, 1, 2, 3):
            reception.see(number)
        reception.report(5, now=0.0)
        for number in (5, 7):
            reception.see(number)
        reception.report(5, now=1.0)
        assert reception.fraction_lost == 0.5

    def test_before_the_first_packet_there_is_nothing_to_report(self) -> None:
        assert Reception().report(5, now=0.0) is None

    def test_the_report_says_how_long_ago_the_sender_s_came(self) -> None:
        reception = Reception()
        reception.see(1)
        reception.see_report(0x12345678, now=10.0)
        report = reception.report(5, now=10.5)
        assert report is not None
        assert struct.unpack_from("!II", report, 24) == (0x12345678, 32768)


class TestLoudness:
    def test_it_is_the_mean_since_it_was_last_taken(self) -> None:
        loudness = Loudness()
        loudness.hear(20)
        loudness.hear(20)
        assert loudness.take() == pytest.approx(0.1)
        assert loudness.take() == 0.0

    def test_silence_is_nothing(self) -> None:
        loudness = Loudness()
        loudness.hear(127)
        assert loudness.take() == 0.0
