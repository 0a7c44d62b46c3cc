"""One remote peer connection: its ICE credentials, DTLS, SRTP and data channels behind a single object."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from roomlet import rtcp
from roomlet.dtls import DtlsPeer, HandshakeFailed
from roomlet.ice import IcePorts, Route
from roomlet.rtp import name_of
from roomlet.sctp import Channel, Sctp
from roomlet.sdp import Description, LocalTransport
from roomlet.srtp import Session, SrtpError

log = logging.getLogger(__name__)
MOST_ROUTES = 8
"""Addresses one peer may be seen at; the oldest is forgotten when it roams on."""
MOST_CREDENTIALS = 8
MOST_EARLY = 15
MOST_REPORTERS = 64
"""Names (SSRCs) under which a peer may report: as a rule those of its own streams, or one."""
SOONEST_RESEND = 0.01


class MediaReceiver(Protocol):
    """Takes a publisher's packets, decrypted."""

    def on_rtp(self, packet: bytes) -> None: ...
    def on_sender_report(self, report: rtcp.SenderReport) -> None: ...


class MediaSender(Protocol):
    """Hears what a subscriber reports about a stream it is sent."""

    def on_reception(self, fraction_lost: float, lost: int) -> None: ...
    def on_nack(self, sequences: tuple[int, ...]) -> None: ...
    def on_key_frame_request(self) -> None: ...


class TransportListener(Protocol):
    def on_connected(self, transport: "PeerTransport") -> None: ...
    def on_channel(self, transport: "PeerTransport", channel: Channel) -> None: ...


class PeerTransport:
    __slots__ = (
        "__weakref__",
        "_clock",
        "_credentials",
        "_dtls",
        "_early",
        "_fingerprints",
        "_inbound",
        "_listener",
        "_loop",
        "_outbound",
        "_ports",
        "_remote_ufrag",
        "_reporters",
        "_resend",
        "_route",
        "_routes",
        "_sctp",
        "_sctp_port",
        "_tasks",
        "ice_password",
        "is_closed",
        "is_connected",
        "last_heard_at",
        "receivers",
        "senders",
        "ufrag",
    )

    def __init__(
        self, ports: IcePorts, listener: TransportListener, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ports, self._listener, self._clock = ports, listener, clock
        self._loop = asyncio.get_running_loop()
        self._credentials: dict[str, bytes] = {}
        self._remote_ufrag: str | None = None
        self._fingerprints: list[tuple[str, str]] = []
        self._early: list[bytes] = []
        self._reporters: set[bytes] = set()
        self._sctp_port = 0
        self._sctp: Sctp | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._routes: list[Route] = []
        self._route: Route | None = None
        self._dtls = DtlsPeer(ports.certificate, self._send)
        self._resend: asyncio.TimerHandle | None = None
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self.is_connected = False
        self.is_closed = False
        self.last_heard_at = clock()
        self.receivers: dict[bytes, MediaReceiver] = {}
        """By SSRC, as it stands in a packet."""
        self.senders: dict[int, MediaSender] = {}
        self.ufrag = self.ice_password = ""
        self.restart()

    # --- what signalling says

    def accept_offer(self, remote: Description) -> None:
        """New credentials in an offer are an ICE restart: the answer carries new ones of ours, the old ones stay valid,
        and DTLS, SRTP and SCTP go on undisturbed."""
        ufrag = remote.find("ice-ufrag")
        if self._remote_ufrag is not None and self._remote_ufrag != ufrag:
            self.restart()
        self._remote_ufrag = ufrag
        self.accept_answer(remote)

    def accept_answer(self, remote: Description) -> None:
        self._fingerprints = remote.fingerprints()
        early, self._early = self._early, []
        for datagram in early:
            self.on_dtls(datagram)
        data = remote.application()
        if data is not None:
            self._sctp_port = data.sctp_port
            if self.is_connected:
                self._start_sctp()

    def local(self) -> LocalTransport:
        return LocalTransport(
            self.ufrag, self.ice_password, self._ports.certificate.fingerprint, tuple(self._ports.candidates)
        )

    def restart(self) -> None:
        """Gives the connection credentials that its peer has not seen, which makes the peer check all paths anew. One
        that is closed keeps its old ones, which lead nowhere, so that its peer finds out and starts over."""
        if self.is_closed:
            return
        self.ufrag, self.ice_password = secrets.token_hex(4), secrets.token_hex(12)
        self._credentials[self.ufrag] = self.ice_password.encode()
        self._ports.by_ufrag[self.ufrag] = self
        if len(self._credentials) > MOST_CREDENTIALS:
            oldest = next(iter(self._credentials))
            del self._credentials[oldest]
            self._ports.by_ufrag.pop(oldest, None)

    # --- what the ports deliver

    def password(self, ufrag: str) -> bytes:
        return self._credentials[ufrag]

    def on_check(self, route: Route, use_candidate: bool) -> None:
        self.last_heard_at = self._clock()
        if route not in self._routes:
            self._routes.append(route)
            if len(self._routes) > MOST_ROUTES:
                oldest = next(known for known in self._routes if known is not self._route)
                self._routes.remove(oldest)
                oldest.forget()
        if use_candidate or self._route is None:
            self._route = route

    def on_route_lost(self, route: Route) -> None:
        if route in self._routes:
            self._routes.remove(route)
        if self._route is route:
            self._route = None

    def on_dtls(self, datagram: bytes) -> None:
        if self.is_closed:
            return
        if not self._fingerprints:
            # A client may start DTLS as soon as it has written its answer, which then is still on its way.
            self._early = [*self._early[-MOST_EARLY:], datagram]
            return
        try:
            said = self._dtls.receive(datagram)
            if self._dtls.is_established and self._inbound is None:
                self._inbound, self._outbound = self._dtls.srtp_sessions(self._fingerprints)
                self._on_established()
        except HandshakeFailed as failure:
            log.warning("a peer's handshake failed", extra={"reason": str(failure)})
            self.close()
            return
        for data in said:
            if self._sctp is not None:
                self._sctp.receive(data)
        if self._dtls.is_closed:
            self.close()
        elif self._inbound is None:
            self._await_resend()

    def on_media(self, datagram: bytes) -> None:
        inbound = self._inbound
        if inbound is None or len(datagram) < 12:
            return
        try:
            if 191 < datagram[1] < 224:
                self._on_reports(inbound, datagram)
                return
            # libsrtp remembers every name that it has read a packet of.
            if receiver := self.receivers.get(datagram[8:12]):
                receiver.on_rtp(inbound.unprotect(datagram))
        except SrtpError:
            return

    def _on_reports(self, inbound: Session, datagram: bytes) -> None:
        name = datagram[4:8]
        if name in self._reporters or len(self._reporters) < MOST_REPORTERS:
            reports = inbound.unprotect_rtcp(datagram)
            self._reporters.add(name)
            self._on_rtcp(reports)

    def _on_rtcp(self, data: bytes) -> None:
        for report in rtcp.parse(data):
            if isinstance(report, rtcp.SenderReport):
                if receiver := self.receivers.get(name_of(report.ssrc)):
                    receiver.on_sender_report(report)
                continue
            sender = self.senders.get(report.ssrc)
            if sender is None:
                continue
            if isinstance(report, rtcp.ReceptionReport):
                sender.on_reception(report.fraction_lost / 256, report.lost)
            elif isinstance(report, rtcp.Nack):
                sender.on_nack(report.sequences)
            else:
                sender.on_key_frame_request()

    # --- what the room sends

    def send_rtp(self, packet: bytes) -> None:
        if self._outbound is not None and self._route is not None:
            try:  # noqa: SIM105 - once for every packet of every listener, and `suppress` costs as much as sending
                self._route.send(self._outbound.protect(packet))
            except SrtpError:
                pass

    def send_rtcp(self, packet: bytes) -> None:
        if self._outbound is not None and self._route is not None:
            with contextlib.suppress(SrtpError):
                self._route.send(self._outbound.protect_rtcp(packet))

    def send_data(self, data: bytes) -> None:
        self._dtls.send(data)

    def open_channels(self, *channels: tuple[str, dict[str, object]]) -> list[Channel]:
        """Opens channels of the server's own, on a connection that the server offered."""
        assert self._sctp is not None
        return [self._sctp.open_channel(label, **options) for label, options in channels]

    # --- life

    def close(self) -> None:
        if self.is_closed:
            return
        if self._sctp is not None:
            self._sctp.stop()
        self._dtls.close()
        self.is_closed, self.is_connected = True, False
        if self._resend is not None:
            self._resend.cancel()
        for ufrag in self._credentials:
            self._ports.by_ufrag.pop(ufrag, None)
        for route in self._routes:
            route.forget()
        self._routes, self._route = [], None
        self.receivers.clear()
        self.senders.clear()

    def _send(self, datagram: bytes) -> None:
        if self._route is not None:
            self._route.send(datagram)

    def _on_established(self) -> None:
        self.is_connected = True
        if self._sctp_port:
            self._start_sctp()
        self._listener.on_connected(self)

    def start_sctp(self, remote_port: int) -> None:
        self._sctp_port = remote_port
        self._start_sctp()

    def _start_sctp(self) -> None:
        if self._sctp is not None:
            return
        backlog = self._ports.settings.limits.data_backlog_bytes
        self._sctp = Sctp(self, backlog, lambda channel: self._listener.on_channel(self, channel))
        task = self._loop.create_task(self._sctp.start(self._sctp_port))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _await_resend(self) -> None:
        seconds = self._dtls.seconds_until_resend()
        if seconds is None:
            return
        if self._resend is not None:
            self._resend.cancel()
        self._resend = self._loop.call_later(max(seconds, SOONEST_RESEND), self._on_resend)

    def _on_resend(self) -> None:
        if not self.is_closed and self._inbound is None:
            self._dtls.resend()
            self._await_resend()
