"""RTP, RTCP, redundancy and reception, without a socket."""

import os
import struct
from collections.abc import Callable
from typing import Any, cast

import pytest
from livekit.protocol import models

from roomlet import rtcp
from roomlet.answers import NO_PAYLOAD_TYPE, Agreed
from roomlet.hearers import Hearers
from roomlet.ice import IcePorts
from roomlet.loudness import Loudness
from roomlet.metrics import Counters
from roomlet.reception import Reception
from roomlet.rtp import NO_LEVEL, BadPacket, payload_start, red_primary
from roomlet.settings import Settings
from roomlet.srtp import PROFILES, sessions
from roomlet.tracks import HISTORY, RESENDS_BURST, RESENDS_PER_SECOND, PublishedTrack, Subscription
from roomlet.transport import PeerTransport

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


class TestWhatSubscribersLost:
    """Their reports are about all packets so far, and are not believed beyond what was sent."""

    async def test_is_counted_once(self) -> None:
        counters = Counters()
        transport = PeerTransport(IcePorts(Settings("key", "s" * 32), counters), Nobody())
        track = PublishedTrack(Nobody(), models.TrackInfo(), "mic", counters, lambda *_: None)
        subscription = Subscription(track, transport)
        subscription.start()
        for _ in range(10):
            subscription.forward(0x8000, HEAD[2:8], b"payload", False)
        for reported, counted in ((3, 3), (3, 3), (5, 5), (4, 5), (0x7FFFFF, 10)):
            transport._on_rtcp(rtcp.receiver_report(subscription.ssrc, 0, reported, 0, 0, 0))
            assert counters.packets_lost == counted


class TestStreamUnderANewName:
    """A client that sends a track under another SSRC starts its numbers anywhere; its listeners must not notice."""

    @pytest.mark.parametrize("numbers", [(100, 5000), (65_530, 2**32 - 10), (3, 3)])
    async def test_goes_on_where_the_old_one_stopped(self, numbers: tuple[int, int]) -> None:
        now = [10.0]
        track, sent = published(lambda: now[0])
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.bind("0", 2, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
        now[0] += 0.5
        track.on_rtp(rtp(*numbers, name=2))
        track.on_rtp(rtp(numbers[0] + 1, numbers[1] + 960, name=2))
        assert sent.numbers == [(1000, 48_000), (1016, 72_000), (1017, 72_960)]

    async def test_and_again_if_nothing_came_under_the_new_one(self) -> None:
        now = [10.0]
        track, sent = published(lambda: now[0])
        track.on_rtp(rtp(1000, 48_000, name=1))
        for name in (2, 3):
            track.bind("0", name, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
            now[0] += 0.25
        track.on_rtp(rtp(3, 3, name=3))
        track.bind("0", 4, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
        now[0] += 0.5
        track.on_rtp(rtp(7, 7, name=4))
        assert sent.numbers == [(1000, 48_000), (1016, 72_000), (1032, 96_000)]

    async def test_and_so_does_its_clock(self) -> None:
        track, sent = published(lambda: 10.0)
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.bind("0", 2, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
        report = rtcp.SenderReport(2, struct.pack("!III", 1, 2, 960), 0)
        track.on_sender_report(report)
        assert sent.clocks == []
        track.on_rtp(rtp(7, 960, name=2))
        track.on_sender_report(report)
        assert sent.clocks == [struct.pack("!III", 1, 2, 48_000)]

    async def test_one_that_keeps_its_name_keeps_its_numbers(self) -> None:
        track, sent = published(lambda: 10.0)
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.bind("1", 1, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
        track.on_rtp(rtp(3, 5, name=1))
        assert sent.numbers == [(1000, 48_000), (3, 5)]


class TestMute:
    """Whoever is muted may go on sending, which nobody is sent. Listeners must not take it for lost."""

    async def test_is_heard_by_nobody(self) -> None:
        track, sent = published(lambda: 10.0)
        track.mute(True)
        track.on_rtp(rtp(1000, 48_000, name=1))
        assert sent.numbers == []

    @pytest.mark.parametrize(("later", "skipped"), [(1, 1), (9, 9), (2_000, 16), (40_000, 16), (65_536, 16)])
    async def test_leaves_no_long_gap_in_the_numbers_and_the_clock_as_it_was(self, later: int, skipped: int) -> None:
        track, sent = published(lambda: 10.0)
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.mute(True)
        for number in range(1001, 1000 + later, 499):
            track.on_rtp(rtp(number, 48 * number, name=1))
        track.mute(False)
        for number in (1000 + later, 1001 + later):
            track.on_rtp(rtp(number, 48 * number, name=1))
        assert sent.numbers == [
            (1000, 48_000),
            (1000 + skipped, 48 * (1000 + later)),
            (1001 + skipped, 48 * (1001 + later)),
        ]

    async def test_as_long_as_any_is_got_over_by_the_cipher(self) -> None:
        """After numbers that have run past 2^15, and once around."""
        profile = PROFILES[0]
        material = os.urandom(profile.material_bytes)
        (_, outbound), (inbound, _) = sessions(profile, material), sessions(profile, material, is_server=False)
        track, sent = published(lambda: 10.0)
        first, heard = 0, 0
        for spoken, silent in ((70_000, 45_000), (100, 60_000), (100, 0)):
            for number in range(first, first + spoken):
                track.on_rtp(rtp(number, 960 * number, name=1))
            track.mute(True)
            first += spoken + silent
            track.mute(False)
            for numbers in sent.numbers:
                packet = rtp(*numbers, name=9)
                assert inbound.unprotect(outbound.protect(packet)) == packet
            heard += len(sent.numbers)
            sent.forget()
        assert heard == 70_200

    async def test_and_one_on_top_of_another_stream_goes_on(self) -> None:
        now = [10.0]
        track, sent = published(lambda: now[0])
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.bind("0", 2, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
        now[0] += 0.5
        track.on_rtp(rtp(7, 960, name=2))
        track.mute(True)
        track.mute(False)
        track.on_rtp(rtp(90, 2880, name=2))
        assert sent.numbers == [(1000, 48_000), (1016, 72_000), (1032, 73_920)]

    async def test_makes_way_for_no_packet_of_before_it(self) -> None:
        track, sent = published(lambda: 10.0)
        track.keep_history()
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.mute(True)
        track.mute(False)
        sent.forget()
        track.again(cast(Subscription, sent), 1000)
        track.on_rtp(rtp(3000, 96_000, name=1))
        track.again(cast(Subscription, sent), 1016)
        assert sent.numbers == [(1016, 96_000)] * 2


class TestWhatIsAskedForAgain:
    """Packets are kept as they came, and go out again as they went out before."""

    async def test_goes_to_whoever_asks(self) -> None:
        track, others = published(lambda: 10.0)
        asking = Listener()
        track.keep_history()
        for number in (65_534, 65_535, 0, 1):
            track.on_rtp(rtp(number, 7, name=1))
        others.forget()
        for number in (65_535, 0):
            track.again(cast(Subscription, asking), number)
        assert (asking.numbers, others.numbers) == ([(65_535, 7), (0, 7)], [])
        assert asking.payloads == [b"payload", b"payload"]

    async def test_is_not_there_unless_somebody_may_ask(self) -> None:
        track, sent = published(lambda: 10.0)
        track.on_rtp(rtp(5, 7, name=1))
        sent.forget()
        track.again(cast(Subscription, sent), 5)
        assert sent.numbers == []

    async def test_is_forgotten_after_a_while(self) -> None:
        track, sent = published(lambda: 10.0)
        track.keep_history()
        for number in range(HISTORY + 1):
            track.on_rtp(rtp(number, 7, name=1))
        sent.forget()
        for number in (0, 1, HISTORY, HISTORY + 1):
            track.again(cast(Subscription, sent), number)
        assert sent.numbers == [(1, 7), (HISTORY, 7)]

    async def test_has_the_numbers_that_listeners_know(self) -> None:
        track, sent = published(lambda: 10.0)
        track.keep_history()
        track.on_rtp(rtp(1000, 48_000, name=1))
        track.bind("0", 2, Agreed(111, NO_PAYLOAD_TYPE, nack=True, level_id=0))
        track.on_rtp(rtp(3, 960, name=2))
        sent.forget()
        for number in (3, 1000, 1016):
            track.again(cast(Subscription, sent), number)
        assert sent.numbers == [(1016, 48_000)]


class TestHowOftenIsAskedForAgain:
    async def test_a_subscriber_has_a_budget_that_time_fills(self) -> None:
        now = [10.0]
        track, _ = published(lambda: now[0])
        track.keep_history()
        transport = PeerTransport(IcePorts(Settings("key", "s" * 32), Counters()), Nobody())
        one, another = Subscription(track, transport), Subscription(track, transport)
        for subscription in (one, another):
            subscription.start()
        for number in range(HISTORY):
            track.on_rtp(rtp(number, 7, name=1))

        def sent_again(subscription: Subscription) -> int:
            before = subscription._packets
            for _ in range(10):
                subscription.on_nack(tuple(range(HISTORY)))
            return subscription._packets - before

        assert (sent_again(one), sent_again(one), sent_again(another)) == (RESENDS_BURST, 0, RESENDS_BURST)
        now[0] += 0.25
        assert sent_again(one) == RESENDS_PER_SECOND / 4


class Listener:
    """A subscription that notes what it is given."""

    is_active = True

    def __init__(self) -> None:
        self.numbers: list[tuple[int, int]] = []
        self.payloads: list[bytes] = []
        self.clocks: list[bytes] = []

    def forget(self) -> None:
        self.numbers, self.payloads = [], []

    def forward(self, first: int, numbers: bytes, payload: bytes, is_red: bool) -> None:
        self.numbers.append(struct.unpack("!HI", numbers))
        self.payloads.append(payload)

    def report(self, clock: bytes) -> None:
        self.clocks.append(clock)


def published(clock: Callable[[], float]) -> tuple[PublishedTrack, Listener]:
    publisher, listener = Nobody(), Listener()
    publisher.publishing_transport = PeerTransport(IcePorts(Settings("key", "s" * 32), Counters()), Nobody())
    track = PublishedTrack(publisher, models.TrackInfo(), "mic", Counters(), lambda *_: None, clock)
    track.bind("0", 1, Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0))
    track.subscriptions.append(cast(Subscription, listener))
    return track, listener


def rtp(sequence: int, clock: int, name: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, sequence & 0xFFFF, clock & 0xFFFFFFFF, name) + b"payload"


class Nobody:
    """The participant around a transport and a track, who does not care."""

    hearers = Hearers()
    publishing_transport: PeerTransport

    def __getattr__(self, name: str) -> Any:
        return lambda *about: None


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
