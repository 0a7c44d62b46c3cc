"""The signalling endpoint: who may come in, as whom, and the socket of each who did.

Everything that can be refused is refused on the upgrade request itself: clients tell a bad token from a missing path
only by that status.
"""

import asyncio
import base64
import binascii
import gzip
import io
import logging
import time
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from roomlet import signal
from roomlet.errors import LimitReached, Malformed, NotPermitted, Refused
from roomlet.ice import IcePorts
from roomlet.limits import Limits, RatePerSource, TokenBucket, size_of
from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.room import CODECS, Room
from roomlet.rooms import RoomRequest, Rooms
from roomlet.sdp import BadDescription
from roomlet.settings import Settings
from roomlet.tokens import Claims, Keyring

log = logging.getLogger(__name__)
PING_INTERVAL_SECONDS, PING_TIMEOUT_SECONDS = 5, 15
Reason = models.DisconnectReason
SDKS = frozenset(models.ClientInfo.SDK.DESCRIPTOR.values_by_name)


@dataclass(frozen=True, slots=True)
class Entry:
    """A request to join, whichever of the two styles it came in."""

    request: rtc.JoinRequest
    dual: bool


class SocketOutbox:
    """One task writes to the socket, so that what was said is sent in order, and all of it before the socket closes."""

    def __init__(self, socket: web.WebSocketResponse, backlog: int) -> None:
        self._socket = socket
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._backlog = backlog
        self._task = asyncio.get_running_loop().create_task(self._write())

    def put(self, message: bytes) -> None:
        if self._waiting.qsize() < self._backlog:
            self._waiting.put_nowait(message)
        else:
            # Whoever cannot keep up with signalling has to start over; half a conversation helps nobody.
            self._task.cancel()

    def close(self) -> None:
        self._waiting.put_nowait(None)

    async def finish(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        try:
            while (message := await self._waiting.get()) is not None:
                await self._socket.send_bytes(message)
            await self._socket.close()
        except ConnectionError:
            return


@dataclass
class Joining:
    settings: Settings
    rooms: Rooms
    ports: IcePorts
    keyring: Keyring
    counters: Counters
    server_info: models.ServerInfo
    rate: RatePerSource = field(init=False)

    def __post_init__(self) -> None:
        self.rate = RatePerSource(self.settings.limits.joins_per_second, self.settings.limits.joins_burst)

    async def validate(self, request: web.Request) -> web.Response:
        """Clients ask here why their socket was refused."""
        headers = {"Access-Control-Allow-Origin": "*"}
        try:
            self._welcome(self._claims(request))
            self.rooms.refuse_when_draining()
        except Refused as refusal:
            return web.Response(status=_join_status(refusal), text=refusal.message, headers=headers)
        return web.Response(text="success", headers=headers)

    async def enter(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(status=404, text="this path is for WebSockets")
        try:
            if not self.rate.take(request.remote or "", time.monotonic()):
                raise LimitReached("too many joins from this address (ROOMLET_LIMIT_JOINS_PER_SECOND)")
            claims = self._claims(request)
            entry = read_entry(request, self.settings.limits)
            room = self._welcome(claims)
            if not entry.request.reconnect:
                self.rooms.refuse_when_draining()
                self._refuse_when_full(room, claims)
        except Refused as refusal:
            self.counters.refuse_join(refusal.code)
            return web.Response(status=_join_status(refusal), text=refusal.message)
        socket = web.WebSocketResponse(max_msg_size=self.settings.limits.signal_message_bytes, compress=False)
        await socket.prepare(request)
        outbox = SocketOutbox(socket, self.settings.limits.signal_backlog)
        try:
            participant = self._admit(claims, entry, outbox)
            if participant is None:
                await outbox._task
            else:
                await self._converse(socket, participant, outbox)
        finally:
            await outbox.finish()
        return socket

    # --- who may come in

    def _claims(self, request: web.Request) -> Claims:
        header = request.headers.get("Authorization", "")
        token = header[7:] if header.startswith("Bearer ") else request.query.get("access_token", "")
        return self.keyring.read(token)

    def _welcome(self, claims: Claims) -> Room | None:
        """Refuses whoever cannot be let in; the room, if it is open already."""
        name = claims.room_to_join
        if len(name.encode()) > self.settings.limits.name_length:
            raise NotPermitted("the room's name is too long")
        if len(claims.identity.encode()) > self.settings.limits.name_length:
            raise NotPermitted("the identity is too long")
        if len(claims.metadata.encode()) > self.settings.limits.metadata_bytes:
            raise NotPermitted("metadata size exceeds limits")
        if size_of(claims.attributes) > self.settings.limits.attributes_bytes:
            raise NotPermitted("attributes size exceeds limits")
        return self.rooms.find(name)

    def _refuse_when_full(self, room: Room | None, claims: Claims) -> None:
        is_known = room is not None and claims.identity in room.participants
        if not is_known:
            self.rooms.refuse_when_full()
        if room is not None and room.is_full and not is_known and claims.kind != "agent":
            raise LimitReached("room has exceeded its max participants")

    # --- letting in

    def _admit(self, claims: Claims, entry: Entry, outbox: SocketOutbox) -> Participant | None:
        if entry.request.reconnect:
            return self._resume(claims, entry.request, outbox)
        configured = claims.room_configuration
        try:
            room, _ = self.rooms.open(
                RoomRequest(
                    claims.room_to_join,
                    configured.empty_timeout,
                    configured.departure_timeout,
                    configured.max_participants,
                    configured.metadata,
                    tuple(configured.agents),
                )
            )
        except Refused as refusal:
            self.counters.refuse_join(refusal.code)
            _send(outbox, leave=rtc.LeaveRequest(reason=Reason.JOIN_FAILURE, action=rtc.LeaveRequest.DISCONNECT))
            outbox.close()
            return None
        before = room.participants.get(claims.identity)
        if before is not None:
            room.remove(before, Reason.DUPLICATE_IDENTITY)
        participant = self._new_participant(room, claims, entry)
        participant.attach(outbox)
        self._greet(room, participant, entry)
        return participant

    def _new_participant(self, room: Room, claims: Claims, entry: Entry) -> Participant:
        participant = Participant(
            room,
            self.ports,
            claims,
            entry.request.client_info,
            dual=entry.dual,
            auto_subscribe=entry.request.connection_settings.auto_subscribe,
            counters=self.counters,
            limits=self.settings.limits,
        )
        participant.describe(entry.request.metadata, entry.request.participant_attributes)
        return participant

    def _greet(self, room: Room, participant: Participant, entry: Entry) -> None:
        """The join response must be the first frame, and what it promises follows in the order clients expect."""
        others = room.admit(participant)
        self.counters.joins += 1
        participant.send(
            join=rtc.JoinResponse(
                room=room.info(),
                participant=participant.info(),
                other_participants=others,
                server_version=self.server_info.version,
                server_info=self.server_info,
                subscriber_primary=entry.dual and participant.permission.can_subscribe,
                ping_timeout=PING_TIMEOUT_SECONDS,
                ping_interval=PING_INTERVAL_SECONDS,
                enabled_publish_codecs=CODECS,
                fast_publish=participant.permission.can_publish,
            )
        )
        participant.on_joined()
        for track in entry.request.add_track_requests:
            participant.publishing.add(track)
        if entry.request.HasField("publisher_offer"):
            try:
                participant.publishing.answer(entry.request.publisher_offer)
            except BadDescription as refusal:
                log.warning("a join offer could not be read", extra={"reason": str(refusal)})
                room.remove(participant, Reason.JOIN_FAILURE)
                return
        self.refresh_token(participant)

    def refresh_token(self, participant: Participant) -> None:
        participant.send(refresh_token=self.keyring.refreshed(participant.claims, time.time()))

    def _resume(self, claims: Claims, request: rtc.JoinRequest, outbox: SocketOutbox) -> Participant | None:
        """Gives a participant that lost its socket a new one. Media went on all the time."""
        room = self.rooms.find(claims.room_to_join)
        participant = room.participants.get(claims.identity) if room is not None else None
        if room is None or participant is None or participant.sid != request.participant_sid:
            mismatch = rtc.LeaveRequest(
                reason=Reason.STATE_MISMATCH, action=rtc.LeaveRequest.RECONNECT, can_reconnect=True
            )
            _send(outbox, leave=mismatch)
            outbox.close()
            return None
        participant.attach(outbox)
        self.counters.resumes += 1
        last = participant.last_reliable_sequence
        participant.send(reconnect=rtc.ReconnectResponse(server_info=self.server_info, last_message_seq=last))
        participant.send(update=rtc.ParticipantUpdate(participants=room.visible_to(participant)))
        participant.subscribing.on_resumed()
        self.refresh_token(participant)
        return participant

    # --- the conversation

    async def _converse(self, socket: web.WebSocketResponse, participant: Participant, outbox: SocketOutbox) -> None:
        limits = self.settings.limits
        now = time.monotonic()
        pace = TokenBucket(limits.signal_messages_per_second, limits.signal_messages_burst, now)
        try:
            async for message in socket:
                if not pace.take(time.monotonic()):
                    log.warning("a participant sent signal messages too fast", extra={"participant": participant.sid})
                    break
                if message.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                    self._hear(participant, message.data)
        finally:
            participant.detach(outbox)
            if participant.has_left:
                await asyncio.wait([outbox._task], timeout=1)

    def _hear(self, participant: Participant, data: bytes | str) -> None:
        """Whatever a message breaks, it breaks for its own participant only."""
        try:
            signal.act(participant, read_request(data))
        except (Malformed, BadDescription) as refusal:
            log.warning("a signal message could not be read", extra={"reason": str(refusal)})
        except Exception:
            log.exception("a signal message broke")


def read_request(data: bytes | str) -> rtc.SignalRequest:
    """Binary frames hold protobuf, text frames its JSON form. Raises `Malformed`."""
    try:
        if isinstance(data, str):
            return json_format.Parse(data, rtc.SignalRequest(), ignore_unknown_fields=True)
        return rtc.SignalRequest.FromString(data)
    except (DecodeError, json_format.ParseError, RecursionError) as error:
        raise Malformed(f"not a signal request: {error}") from None


def read_entry(request: web.Request, limits: Limits) -> Entry:
    """Raises `Malformed`."""
    wrapped = request.query.get("join_request")
    if wrapped:
        return Entry(unwrap_join_request(wrapped, limits), dual=False)
    if request.path.endswith("/v1"):
        raise Malformed("join_request is required")
    return Entry(join_request_of(dict(request.query)), dual=True)


def unwrap_join_request(text: str, limits: Limits) -> rtc.JoinRequest:
    """Clients differ in base64's alphabet, and a `+` may arrive as a space."""
    try:
        standard = text.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        wrapped = rtc.WrappedJoinRequest.FromString(raw)
        inner = wrapped.join_request
        if wrapped.compression == rtc.WrappedJoinRequest.GZIP:
            with gzip.GzipFile(fileobj=io.BytesIO(inner)) as unpacked:
                inner = unpacked.read(limits.join_request_bytes + 1)
        if len(inner) > limits.join_request_bytes:
            raise Malformed("join request too large")
        return rtc.JoinRequest.FromString(inner)
    except (binascii.Error, ValueError, DecodeError, OSError, EOFError) as error:
        raise Malformed(f"the join request cannot be read: {error}") from None


def join_request_of(query: dict[str, str]) -> rtc.JoinRequest:
    """The older style: everything in the query."""
    client = models.ClientInfo(
        sdk=_sdk(query.get("sdk", "")),
        version=query.get("version", ""),
        protocol=_number(query.get("protocol")),
        client_protocol=_number(query.get("client_protocol")),
    )
    join = rtc.JoinRequest(client_info=client, reconnect=_is_true(query.get("reconnect")))
    join.participant_sid = query.get("sid", "")
    join.connection_settings.auto_subscribe = _is_true(query.get("auto_subscribe", "1"))
    return join


def _sdk(name: str) -> models.ClientInfo.SDK:
    if name.upper() not in SDKS:
        return models.ClientInfo.UNKNOWN
    return models.ClientInfo.SDK.Value(name.upper())  # type: ignore[return-value]


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")


def _send(outbox: SocketOutbox, *, leave: rtc.LeaveRequest) -> None:
    outbox.put(rtc.SignalResponse(leave=leave).SerializeToString())


def _join_status(refusal: Refused) -> int:
    """LiveKit answers every lack of permission to join with 401; clients know no other."""
    return 401 if isinstance(refusal, NotPermitted) else refusal.status
