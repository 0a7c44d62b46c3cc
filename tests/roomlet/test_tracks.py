"""A published track and its copies, packet by packet and without a socket."""

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
from roomlet.metrics import Counters
from roomlet.settings import Settings
from roomlet.srtp import PROFILES, sessions
from roomlet.tracks import HISTORY, RESENDS_BURST, RESENDS_PER_SECOND, PublishedTrack, Subscription
from roomlet.transport import PeerTransport

NUMBERS = struct.pack("!HI", 7, 960)


class TestWhatSubscribersLost:
    """Their reports are about all packets so far, and are not believed beyond what was sent."""

    async def test_is_counted_once(self) -> None:
        counters = Counters()
        transport = PeerTransport(IcePorts(Settings("key", "s" * 32), counters), Nobody())
        track = PublishedTrack(Nobody(), models.TrackInfo(), "mic", counters, lambda *_: None)
        subscription = Subscription(track, transport)
        subscription.start()
        for _ in range(10):
            subscription.forward(0x8000, NUMBERS, b"payload", False)
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
