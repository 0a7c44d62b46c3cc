"""The phone's seat in a room: it is heard there as one participant, and hears everybody else.

A room that is lost is entered again for a while, with a new token; the phone hears silence meanwhile.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import structlog
from livekit import rtc
from livekit.rtc.participant import PublishDTMFError, PublishTrackError
from numpy.typing import NDArray

from rymi_server.rooms.sdk_events import DirectedEvents, FrameSender
from rymi_server.telephony.bridge.ear import Ear
from rymi_server.telephony.bridge.keys import code_of
from rymi_server.telephony.carriers.media import DIGITS, FRAME_MS

log = structlog.get_logger(__name__)

Samples = NDArray[np.int16]

CUT_TOPIC = "rymi.agent_audio"
_JOIN_WITHIN_S = 10.0
_TRIES_AGAIN_AFTER_S = (0.1, 0.3, 1.0, 2.0, 4.0, 8.0)
_SOURCE_HOLDS_MS = 100
# Plain music coding: below some 64 kb/s Opus models the voice, which costs its encoder twice as much.
_OPUS_BITS_A_SECOND = 72_000
_LARGEST_CUT_PACKET = 1_024
# Whoever ends a room or takes somebody out of it does not want them back.
_FINAL = frozenset(
    {
        rtc.DisconnectReason.ROOM_DELETED,
        rtc.DisconnectReason.ROOM_CLOSED,
        rtc.DisconnectReason.PARTICIPANT_REMOVED,
        rtc.DisconnectReason.DUPLICATE_IDENTITY,
        rtc.DisconnectReason.CLIENT_INITIATED,
    }
)


@dataclass(frozen=True, slots=True)
class Access:
    url: str
    token: str


class RoomListener(Protocol):
    """Who wants to know what happens in the room."""

    def agent_cut(self) -> None:
        """The agent was interrupted; nothing of what it said before should be heard any more."""
        ...

    def keys_wanted(self, digits: str) -> None: ...

    def room_closed(self, reason: str) -> None:
        """There is no way back in."""
        ...


# Why a room is not entered.
NOT_ENTERED = (rtc.ConnectError, PublishTrackError, TimeoutError)


class RoomSeat:
    """`access` gives a new token at each entry. Used from one event loop."""

    def __init__(
        self,
        events: DirectedEvents,
        access: Callable[[], Access],
        phone_rate: int,
        listener: RoomListener,
        *,
        speaks: bool,
    ) -> None:
        self._events = events
        self._access = access
        self._rate = phone_rate
        self._listener = listener
        self._speaks = speaks
        self._ears: dict[str, Ear] = {}
        self._agents: dict[str, str] = {}
        self._room: rtc.Room | None = None
        self._undirect: Callable[[], None] | None = None
        self._source: rtc.AudioSource | None = None
        self._sender: FrameSender | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_leaving = False

    @property
    def ears(self) -> list[Ear]:
        return list(self._ears.values())

    @property
    def is_in(self) -> bool:
        return self._room is not None

    async def enter(self) -> None:
        """Raise one of `NOT_ENTERED`."""
        access = self._access()
        room = rtc.Room()
        self._listen_to(room)
        async with asyncio.timeout(_JOIN_WITHIN_S):
            await room.connect(access.url, access.token, rtc.RoomOptions(auto_subscribe=False))
            self._room = room
            self._undirect = self._events.direct_room(room, asyncio.get_running_loop())
            self._subscribe_all(room)
            if self._speaks:
                await self._publish(room)

    def say(self, samples: Samples) -> None:
        """The next 20 ms of the phone. What is said while the room is lost, is lost."""
        if self._sender is not None:
            self._sender.send(samples.tobytes())

    def hush_agent(self, now: float) -> None:
        for track, ear in self._ears.items():
            if track in self._agents:
                ear.hush(now)

    def press(self, digit: str) -> None:
        """Tell the room that the phone pressed a key."""
        room = self._room
        if room is not None:
            self._spawn(self._pressed(room, digit))

    async def leave(self) -> None:
        self._is_leaving = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._drop_room()

    async def _publish(self, room: rtc.Room) -> None:
        # At the phone's own rate: the encoder brings everything up to its own anyhow.
        source = rtc.AudioSource(self._rate, 1, queue_size_ms=_SOURCE_HOLDS_MS)
        track = rtc.LocalAudioTrack.create_audio_track("phone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False)
        options.audio_encoding.max_bitrate = _OPUS_BITS_A_SECOND
        await room.local_participant.publish_track(track, options)
        self._source, self._sender = source, FrameSender(source)
        # The source plays on a clock of its own; a frame of silence keeps it from running dry while ours is late.
        self._sender.send(bytes(self._rate * FRAME_MS // 1000 * 2))

    def _listen_to(self, room: rtc.Room) -> None:
        room.on("track_published", self._published)
        room.on("track_subscribed", self._subscribed)
        room.on("track_unsubscribed", lambda track, _publication, _person: self._gone(track.sid))
        room.on("data_received", self._data)
        room.on("sip_dtmf_received", self._dtmf)
        # What was published while the connection was being mended is in the room without an event.
        room.on("reconnected", lambda: self._subscribe_all(room))
        room.on("participant_connected", lambda _: self._subscribe_all(room))
        room.on("disconnected", lambda reason: self._disconnected(room, reason))

    def _subscribe_all(self, room: rtc.Room) -> None:
        for person in room.remote_participants.values():
            for publication in person.track_publications.values():
                self._published(publication, person)

    @staticmethod
    def _published(publication: rtc.RemoteTrackPublication, _person: rtc.RemoteParticipant) -> None:
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            publication.set_subscribed(True)

    def _subscribed(
        self, track: rtc.RemoteTrack, _publication: rtc.RemoteTrackPublication, person: rtc.RemoteParticipant
    ) -> None:
        if track.kind != rtc.TrackKind.KIND_AUDIO:
            return
        self._gone(track.sid)
        ear = self._ears[track.sid] = Ear()
        if person.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self._agents[track.sid] = person.identity
        ear.opened(self._events.listen(track, self._rate, FRAME_MS, ear.hear))

    def _gone(self, track_id: str) -> None:
        ear = self._ears.pop(track_id, None)
        self._agents.pop(track_id, None)
        if ear:
            ear.close()

    def _data(self, packet: rtc.DataPacket) -> None:
        if packet.topic != CUT_TOPIC or packet.participant is None or len(packet.data) > _LARGEST_CUT_PACKET:
            return
        if packet.participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return
        try:
            said = json.loads(packet.data)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict) and said.get("event") == "cut":
            self._listener.agent_cut()

    def _dtmf(self, pressed: rtc.SipDTMF) -> None:
        """Keys of agents and browsers. Another phone's keys are for the agent, not for this phone."""
        person = pressed.participant
        if person is None or person.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
            return
        digits = "".join(digit for digit in pressed.digit.upper() if digit in DIGITS)
        if digits:
            self._listener.keys_wanted(digits)

    def _disconnected(self, room: rtc.Room, reason: rtc.DisconnectReason.ValueType) -> None:
        if self._is_leaving or room is not self._room:
            return
        name = rtc.DisconnectReason.Name(reason).lower()
        self._forget_room()
        if reason in _FINAL:
            self._listener.room_closed(name)
            return
        log.warning("room_lost", code=name)
        self._spawn(self._enter_again(name))

    async def _enter_again(self, reason: str) -> None:
        for seconds in _TRIES_AGAIN_AFTER_S:
            await asyncio.sleep(seconds)
            try:
                await self.enter()
            except NOT_ENTERED:
                await self._drop_room()
                continue
            log.info("room_entered_again")
            return
        self._listener.room_closed(reason)

    async def _drop_room(self) -> None:
        room = self._room
        self._forget_room()
        if room is not None:
            await room.disconnect()

    def _forget_room(self) -> None:
        """Before the room is left: an open stream of a room that is gone brings the SDK down."""
        for track_id in list(self._ears):
            self._gone(track_id)
        if self._undirect:
            self._undirect()
        self._room = self._source = self._sender = self._undirect = None

    async def _pressed(self, room: rtc.Room, digit: str) -> None:
        try:
            await room.local_participant.publish_dtmf(code=code_of(digit), digit=digit)
        except PublishDTMFError:
            log.warning("key_not_told")

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
