"""Participants made of packets: real signalling, ICE, DTLS and SRTP, and no codec, so that one core plays hundreds.

They speak LiveKit's protocol with one peer connection and open no data channel. Any LiveKit server takes them in.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import socket
import struct
import time
import zlib
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import jwt
from livekit.protocol import models, rtc

from roomlet import sdp, stun
from roomlet.dtls import Certificate, DtlsPeer
from roomlet.srtp import Session, SrtpError

PAYLOAD_BYTES = 80
NAME_BYTES = 32
FRAME_SAMPLES = 960
HEAD = struct.Struct("!BBHII")
LEVEL_ID = 1
LEVEL = struct.pack("!HHBBxx", 0xBEDE, 1, LEVEL_ID << 4, 40)
"""The header extension that libwebrtc sends with audio: here, rather loud."""
LEFT_AT = struct.Struct("!q")
RESEND_SECONDS = 0.5
CERTIFICATE = Certificate()


def access_token(key: str, secret: str, room: str, identity: str) -> str:
    grants = {"roomJoin": True, "room": room}
    claims = {"iss": key, "sub": identity, "exp": int(time.time()) + 3600, "video": grants}
    return jwt.encode(claims, secret, algorithm="HS256")


@dataclass(eq=False)
class SyntheticClient:
    http: aiohttp.ClientSession
    http_url: str
    token: str
    identity: str
    party: int = 2
    """How many are in the room: it offers a section to hear each of the others."""
    sent: int = 0
    received: int = 0
    is_counting: bool = False
    samples_latency: bool = False
    latencies: list[float] = field(default_factory=list)
    heard: list[bytes] = field(default_factory=list)
    keeps_packets: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ssrc = secrets.randbelow(1 << 32)
        self._name = self.identity.encode()[:NAME_BYTES].ljust(PAYLOAD_BYTES - 8, b"\x55")
        self.signals: list[rtc.SignalResponse] = []
        self._sequence, self._timestamp = secrets.randbelow(30000), secrets.randbelow(1 << 31)
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._address: tuple[str, int] | None = None
        self._remote_ufrag, self._remote_password = "", b""
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._offers = 1
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._dtls = DtlsPeer(CERTIFICATE, self._transmit, is_server=False)
        self._tasks: list[asyncio.Task[None]] = []
        self._signal: aiohttp.ClientWebSocketResponse | None = None

    async def join(self, seconds: float = 20.0) -> None:
        join = rtc.JoinRequest(client_info=models.ClientInfo(sdk=models.ClientInfo.PYTHON, protocol=16))
        join.connection_settings.auto_subscribe = True
        microphone = models.TrackSource.MICROPHONE
        join.add_track_requests.add(cid=f"mic-{self.identity}", type=models.TrackType.AUDIO, source=microphone)
        join.publisher_offer.CopyFrom(rtc.SessionDescription(type="offer", sdp=self._offer(), id=1))
        wrapped = rtc.WrappedJoinRequest(join_request=join.SerializeToString())
        query = base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()
        parameters = {"join_request": query, "access_token": self.token}
        self._signal = await self.http.ws_connect(f"{self.http_url}/rtc/v1", params=parameters)
        self.watch()
        self._tasks.append(asyncio.get_running_loop().create_task(self._listen()))
        async with asyncio.timeout(seconds):
            await self.ready.wait()

    async def leave(self) -> None:
        if self._signal is not None and not self._signal.closed:
            leave = rtc.SignalRequest(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))
            await self._signal.send_bytes(leave.SerializeToString())
            await self._signal.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def send(self) -> None:
        """One packet of audio that carries the time it left."""
        assert self._outbound is not None
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF
        left_at = time.perf_counter_ns()
        head = HEAD.pack(0x90, 111, self._sequence, self._timestamp, self.ssrc)
        self.sent += self.is_counting
        self._transmit(self._outbound.protect(head + LEVEL + LEFT_AT.pack(left_at) + self._name))

    def watch(self) -> None:
        """Take each packet as it arrives."""
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._on_readable)

    def look_away(self) -> None:
        """Let packets lie until `catch_up`. Whoever is watched for has the sender's system call wake us up, on the
        sender's account; over a network nobody does that for a receiver."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())

    def catch_up(self) -> None:
        while self._on_readable():
            continue

    def send_raw(self, datagram: bytes) -> None:
        self._transmit(datagram)

    def send_protected(self, packet: bytes) -> None:
        assert self._outbound is not None
        self._transmit(self._outbound.protect(packet))

    def check(self) -> None:
        """A signed connectivity check, which also keeps the participant alive."""
        user = f"{self._remote_ufrag}:{self._ufrag}".encode()
        padded = user + b"\0" * (-len(user) % 4)
        attributes = struct.pack("!HH", stun.USERNAME, len(user)) + padded
        attributes += struct.pack("!HHI", 0x24, 4, 1) + struct.pack("!HHQ", 0x802A, 8, 1)
        attributes += struct.pack("!HH", stun.USE_CANDIDATE, 0)
        head = struct.pack("!HHI", stun.BINDING_REQUEST, len(attributes) + 24, stun.MAGIC_COOKIE)
        message = head + secrets.token_bytes(12) + attributes
        digest = hmac.digest(self._remote_password, message, hashlib.sha1)
        message += struct.pack("!HH", stun.MESSAGE_INTEGRITY, 20) + digest
        message = message[:2] + struct.pack("!H", len(message) - 20 + 8) + message[4:]
        message += struct.pack("!HHI", stun.FINGERPRINT, 4, zlib.crc32(message) ^ stun.FINGERPRINT_XOR)
        self._transmit(message)

    # --- signalling

    def _offer(self) -> str:
        mids = [str(i) for i in range(self.party)]
        lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(mids)]
        for mid in mids:
            lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111", "c=IN IP4 0.0.0.0", f"a=mid:{mid}"]
            lines += [f"a=ice-ufrag:{self._ufrag}", f"a=ice-pwd:{self._password}"]
            lines += [f"a=fingerprint:sha-256 {CERTIFICATE.fingerprint}", "a=setup:active", "a=rtcp-mux"]
            lines += ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtcp-fb:111 nack"]
            lines.append(f"a=extmap:{LEVEL_ID} {sdp.AUDIO_LEVEL}")
            if mid == "0":
                lines += ["a=sendonly", f"a=msid:- mic-{self.identity}", f"a=ssrc:{self.ssrc} cname:x"]
            else:
                lines.append("a=recvonly")
        return sdp.text(lines)

    async def _listen(self) -> None:
        assert self._signal is not None
        async for frame in self._signal:
            if frame.type is not aiohttp.WSMsgType.BINARY:
                continue
            response = rtc.SignalResponse.FromString(frame.data)
            self.signals.append(response)
            kind = response.WhichOneof("message")
            if kind == "answer" and not self._remote_ufrag:
                self._on_answer(sdp.parse(response.answer.sdp))
            elif kind == "trickle":
                self._on_candidate(json.loads(response.trickle.candidateInit)["candidate"])
            elif kind == "media_sections_requirement":
                self._offers += 1
                offer = rtc.SessionDescription(type="offer", sdp=self._offer(), id=self._offers)
                await self._signal.send_bytes(rtc.SignalRequest(offer=offer).SerializeToString())

    def _on_answer(self, answer: sdp.Description) -> None:
        self._remote_ufrag = answer.find("ice-ufrag") or ""
        self._remote_password = (answer.find("ice-pwd") or "").encode()
        self._fingerprints = answer.fingerprints()
        for candidate in answer.sections[0].attributes.all("candidate"):
            self._on_candidate(candidate)
        self._tasks.append(asyncio.get_running_loop().create_task(self._connect()))

    def _on_candidate(self, candidate: str) -> None:
        """Roomlet names its addresses in the answer, LiveKit one by one, before it and after."""
        _, _, transport, _, host, port, *_ = candidate.split(" ")
        if transport == "udp" and host == "127.0.0.1":
            self._address = (host, int(port))

    async def _connect(self) -> None:
        while self._outbound is None:
            self.check()
            self._dtls.handshake()
            await asyncio.sleep(RESEND_SECONDS)

    # --- packets

    def _transmit(self, datagram: bytes) -> None:
        if self._address is not None:
            try:
                self._socket.sendto(datagram, self._address)
            except BlockingIOError:
                return

    def _on_readable(self) -> bool:
        """One datagram a call: rarely is there another, and to ask for it would cost more than being called again."""
        try:
            datagram = self._socket.recv(2048)
        except BlockingIOError:
            return False
        first = datagram[0]
        if 127 < first < 192:
            self._on_media(datagram)
        elif 19 < first < 64:
            self._on_dtls(datagram)
        elif first < 2 and (asked := stun.parse_binding_request(datagram)) is not None and self._address is not None:
            # LiveKit checks the way back before it believes in it.
            self._transmit(stun.binding_success(asked.transaction, self._password.encode(), *self._address))
        return True

    def _on_dtls(self, datagram: bytes) -> None:
        self._dtls.receive(datagram)
        if self._dtls.is_established and self._outbound is None:
            self._inbound, self._outbound = self._dtls.srtp_sessions(self._fingerprints)
            self.ready.set()

    def _on_media(self, datagram: bytes) -> None:
        if 191 < datagram[1] < 224 or self._inbound is None:
            return
        self.received += self.is_counting
        if not (self.samples_latency or self.keeps_packets):
            return
        try:
            packet = self._inbound.unprotect(datagram)
        except SrtpError:
            return
        if self.keeps_packets:
            self.heard.append(packet)
        if self.samples_latency:
            left_at = LEFT_AT.unpack_from(packet, HEAD.size)[0]
            self.latencies.append((time.perf_counter_ns() - left_at) / 1e6)


class Pacer:
    """Everybody's packets, spread evenly over each 20 ms, as independent microphones would send them."""

    SLOTS = 10
    SLOT_SECONDS = 0.002
    SLOTS_PER_CHECK = 1000

    def __init__(self) -> None:
        self.clients: list[SyntheticClient] = []
        self.is_quiet = False
        self.late_slots = 0
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        slot, due = 0, loop.time()
        while True:
            if not self.is_quiet:
                for client in self.clients[slot % self.SLOTS :: self.SLOTS]:
                    client.send()
            slot += 1
            if slot % self.SLOTS_PER_CHECK == 0:
                for client in self.clients:
                    client.check()
            due += self.SLOT_SECONDS
            if due < loop.time() - RESEND_SECONDS:
                self.late_slots += 1
                due = loop.time()
            await asyncio.sleep(max(0.0, due - loop.time()))
