"""A published track and the copies of it that subscribers are sent. Packets pass through; nothing is decoded."""

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from livekit.protocol import models

from roomlet import rtcp
from roomlet.answers import NO_PAYLOAD_TYPE, Agreed
from roomlet.hearers import Hearers
from roomlet.limits import TokenBucket
from roomlet.loudness import Loudness
from roomlet.metrics import Counters
from roomlet.reception import Reception
from roomlet.rtp import NO_LEVEL, name_of, payload_start, red_primary
from roomlet.seam import Seam
from roomlet.transport import PeerTransport

HISTORY = 128
"""Packets kept for subscribers that may ask again: a power of two."""
NACK_AFTER, NACK_AGAIN = 0.01, 0.05
RESENDS_PER_SECOND, RESENDS_BURST = 200.0, 128.0
"""What a subscriber may ask again of a track: a request of a few bytes can name hundreds of packets."""
NEW_STREAM_MARK = 0x80
CLOCK_RATES = {"audio": 48000, "video": 90000}


class Publisher(Protocol):
    """The participant behind a track, as far as its subscribers and packets care."""

    @property
    def sid(self) -> str: ...
    @property
    def publishing_transport(self) -> PeerTransport: ...
    @property
    def hearers(self) -> Hearers: ...
    def on_first_subscriber(self, track: "PublishedTrack") -> None: ...


class PublishedTrack:
    __slots__ = (
        "_agreed",
        "_clock",
        "_counters",
        "_has_been_heard",
        "_history",
        "_is_muted",
        "_later",
        "_nack_waits",
        "_newest",
        "_seam",
        "_stopped",
        "client_id",
        "info",
        "is_announced",
        "loudness",
        "mid",
        "publisher",
        "reception",
        "ssrc",
        "subscriptions",
    )

    def __init__(
        self,
        publisher: Publisher,
        info: models.TrackInfo,
        client_id: str,
        counters: Counters,
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.publisher, self.info, self.client_id = publisher, info, client_id
        self.ssrc = 0
        self.mid = ""
        self.is_announced = False
        self.subscriptions: list[Subscription] = []
        self.reception = Reception()
        self.loudness = Loudness()
        self._counters, self._later, self._clock = counters, later, clock
        self._agreed = Agreed(111, NO_PAYLOAD_TYPE, nack=False, level_id=0)
        self._history: list[bytes | None] | None = None
        """The latest packets, each at its number's place, once anybody may ask again."""
        self._nack_waits = False
        self._has_been_heard = False
        self._is_muted = info.muted
        self._newest = b""
        """What went out last, as it came."""
        self._stopped: tuple[bytes, float] | None = None
        """With which numbers, and when, until the first packet under another name or after a mute."""
        self._seam: Seam | None = None

    @property
    def sid(self) -> str:
        return self.info.sid

    @property
    def kind(self) -> str:
        return "video" if self.info.type == models.TrackType.VIDEO else "audio"

    def bind(self, mid: str, ssrc: int, agreed: Agreed) -> None:
        """Says where the track's packets come from. A client may move it to another section or stream later."""
        if self.ssrc != ssrc:
            self.unbind()
            self.reception = Reception()
            self._stop()
            self.ssrc = ssrc
            self.publisher.publishing_transport.receivers[name_of(ssrc)] = self
        self.mid = self.info.mid = mid
        self._agreed = agreed

    def unbind(self) -> None:
        receivers = self.publisher.publishing_transport.receivers
        if receivers.get(name_of(self.ssrc)) is self:
            del receivers[name_of(self.ssrc)]

    def keep_history(self) -> None:
        if self._history is None:
            self._history = [None] * HISTORY

    def mute(self, muted: bool) -> None:
        if self._is_muted and not muted:
            # A publisher's numbers may run on meanwhile, and SRTP refuses one that is 2^15 ahead.
            self._stop()
        # Asked for each packet, and a message's field is slow to read.
        self.info.muted = self._is_muted = muted

    def on_rtp(self, packet: bytes) -> None:
        agreed = self._agreed
        start, level = payload_start(packet, agreed.level_id)
        if level != NO_LEVEL:
            self.loudness.hear(level)
        self._counters.packets_received += 1
        sequence = (packet[2] << 8) | packet[3]
        if skipped := self.reception.see(sequence):
            self._counters.packets_missing += skipped
            if agreed.nack:
                self._ask_again()
        if not self.subscriptions or self._is_muted:
            return
        if self._stopped is not None:
            self._go_on(packet, *self._stopped)
        if self._history is not None:
            self._history[sequence % HISTORY] = packet
        self._newest = packet
        self._forward(packet, start, self.subscriptions)

    def again(self, subscription: "Subscription", sequence: int) -> None:
        own = sequence if self._seam is None else self._seam.own(sequence)
        kept = None if self._history is None else self._history[own % HISTORY]
        if kept is not None and kept[2:4] == own.to_bytes(2, "big"):
            self._forward(kept, payload_start(kept, 0)[0], [subscription])

    def _forward(self, packet: bytes, start: int, subscriptions: Iterable["Subscription"]) -> None:
        # The publisher's header extension is cut off: its mid would send the packet to a wrong section downstream.
        first = (0x80 | (packet[0] & 0x20)) << 8 | (packet[1] & NEW_STREAM_MARK)
        numbers, payload = self._numbers(packet), packet[start:]
        is_red = packet[1] & 127 == self._agreed.red_payload_type
        for subscription in subscriptions:
            if subscription.is_active:
                subscription.forward(first, numbers, payload, is_red)

    def _numbers(self, packet: bytes) -> bytes:
        """Sequence and timestamp, as subscribers know them."""
        return packet[2:8] if self._seam is None else self._seam.numbers(packet[2:8])

    def on_sender_report(self, report: rtcp.SenderReport) -> None:
        self.reception.see_report(report.middle_ntp, self._clock())
        if self._stopped is not None:
            return
        clock = report.clock if self._seam is None else self._seam.clock(report.clock)
        for subscription in self.subscriptions:
            if subscription.is_active:
                subscription.report(clock)

    def report_reception(self) -> None:
        """Tells the publisher what was lost; its Opus encoder protects itself accordingly."""
        report = self.reception.report(self.ssrc, self._clock())
        if report is not None:
            self.publisher.publishing_transport.send_rtcp(report)

    def request_key_frame(self) -> None:
        if self.kind == "video" and self.ssrc:
            self.publisher.publishing_transport.send_rtcp(rtcp.picture_loss(self.ssrc))

    def on_subscription_started(self) -> None:
        self.request_key_frame()
        if not self._has_been_heard:
            self._has_been_heard = True
            self.publisher.on_first_subscriber(self)

    def _stop(self) -> None:
        """The packets to come go on behind those that went out, with whatever numbers they come."""
        if self._newest and self._stopped is None:
            self._stopped, self._seam = (self._numbers(self._newest), self._clock()), None
        if self._history is not None:
            self._history = [None] * HISTORY

    def _go_on(self, packet: bytes, newest: bytes, stopped_at: float) -> None:
        ticks = int((self._clock() - stopped_at) * CLOCK_RATES[self.kind])
        is_same = packet[8:12] == self._newest[8:12]
        first, last = packet[2:8], self._newest[2:8]
        self._seam = Seam.after_mute(newest, last, first) if is_same else Seam(newest, first, ticks)
        self._stopped = None

    def _ask_again(self) -> None:
        if not self._nack_waits:
            self._nack_waits = True
            self._later(NACK_AFTER, self._send_nack)

    def _send_nack(self) -> None:
        self._nack_waits = False
        asked = self.reception.to_ask_again()
        transport = self.publisher.publishing_transport
        if asked and not transport.is_closed:
            transport.send_rtcp(rtcp.nack(self.ssrc, asked))
            self._nack_waits = True
            self._later(NACK_AGAIN, self._send_nack)


class Subscription:
    """One subscriber's copy of a track, under a name (SSRC) of its own. Sequence and time stay the publisher's."""

    __slots__ = (
        "_lost",
        "_name",
        "_octets",
        "_packets",
        "_payload_type",
        "_red_payload_type",
        "_resends",
        "fraction_lost",
        "is_active",
        "mid",
        "ssrc",
        "track",
        "transport",
    )

    def __init__(self, track: PublishedTrack, transport: PeerTransport) -> None:
        self.track, self.transport = track, transport
        self.ssrc = secrets.randbelow(0xFFFFFFFE) + 1
        self.mid = ""
        self.is_active = False
        self.fraction_lost = 0.0
        self._packets = self._octets = self._lost = 0
        self._name = name_of(self.ssrc)
        self._payload_type = 111 if track.kind == "audio" else 96
        self._red_payload_type = NO_PAYLOAD_TYPE
        self._resends = TokenBucket(RESENDS_PER_SECOND, RESENDS_BURST, track._clock())

    def agree(self, payload_type: int, red_payload_type: int) -> None:
        self._payload_type, self._red_payload_type = payload_type, red_payload_type

    def start(self) -> None:
        if not self.is_active and not self.transport.is_closed:
            self.is_active = True
            self.transport.senders[self.ssrc] = self
            self.track.on_subscription_started()

    def stop(self) -> None:
        self.is_active = False
        self.transport.senders.pop(self.ssrc, None)
        if self in self.track.subscriptions:
            self.track.subscriptions.remove(self)

    def forward(self, first: int, numbers: bytes, payload: bytes, is_red: bool) -> None:
        payload_type = self._payload_type
        if is_red:
            if self._red_payload_type != NO_PAYLOAD_TYPE:
                payload_type = self._red_payload_type
            else:
                payload = red_primary(payload)
        self._packets += 1
        self._octets += len(payload)
        self.track._counters.packets_forwarded += 1
        self.transport.send_rtp((first | payload_type).to_bytes(2, "big") + numbers + self._name + payload)

    def report(self, clock: bytes) -> None:
        self.transport.send_rtcp(rtcp.sender_report(self.ssrc, clock, self._packets, self._octets))

    def on_reception(self, fraction_lost: float, lost: int) -> None:
        """The subscriber's own count, which no report can raise by more than was sent."""
        self.fraction_lost = fraction_lost
        known = min(lost, self._packets)
        if known > self._lost:
            self.track._counters.packets_lost += known - self._lost
            self._lost = known

    def on_nack(self, sequences: tuple[int, ...]) -> None:
        now = self.track._clock()
        for sequence in sequences:
            if not self._resends.take(now):
                return
            self.track.again(self, sequence)

    def on_key_frame_request(self) -> None:
        self.track.request_key_frame()
