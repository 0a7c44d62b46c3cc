"""One room: who is in it, and how each change reaches everybody else in the order LiveKit's clients rely on."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from google.protobuf.message import Message
from livekit.protocol import models, rtc
from livekit.protocol.agent_dispatch import RoomAgentDispatch

from roomlet import data
from roomlet.identifiers import new_id
from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.speakers import Speakers
from roomlet.tracks import PublishedTrack

Reason, End = models.DisconnectReason, models.RoomEndReason
CODECS = (models.Codec(mime="audio/opus"), models.Codec(mime="video/VP8"))


class RoomListener(Protocol):
    """Who is told what happened in a room. Called in the order in which it happened; must not block."""

    def on_room_opened(self, room: "Room") -> None: ...
    def on_participant_active(self, room: "Room", participant: Participant) -> None: ...
    def on_track_published(self, room: "Room", track: PublishedTrack, participant: Participant) -> None: ...
    def on_track_unpublished(self, room: "Room", track: PublishedTrack, participant: Participant) -> None: ...
    def on_participant_left(self, room: "Room", participant: Participant) -> None: ...
    def on_signal_lost(self, room: "Room", participant: Participant) -> None: ...
    def on_room_closed(self, room: "Room", reason: models.RoomEndReason) -> None: ...


@dataclass(frozen=True, slots=True)
class RoomOptions:
    empty_timeout_seconds: int
    departure_timeout_seconds: int
    max_participants: int = 0
    metadata: str = ""
    agents: tuple[RoomAgentDispatch, ...] = ()


@dataclass(slots=True)
class _Times:
    """When the room became empty, and of what kind its emptiness is."""

    opened_at: float
    first_joined_at: float | None = None
    last_left_at: float | None = None


@dataclass(eq=False)
class Room:
    name: str
    options: RoomOptions
    listener: RoomListener
    counters: Counters
    resume_seconds: float
    media_silence_seconds: float
    on_closed: Callable[["Room"], None]
    clock: Callable[[], float] = time.monotonic
    participants: dict[str, Participant] = field(default_factory=dict)
    waiting_calls: dict[str, "RpcAnswers"] = field(default_factory=dict)
    is_closed: bool = False

    def __post_init__(self) -> None:
        now = time.time()
        self._state = models.Room(
            sid=new_id("RM_"),
            name=self.name,
            creation_time=int(now),
            creation_time_ms=int(now * 1000),
            empty_timeout=self.options.empty_timeout_seconds,
            departure_timeout=self.options.departure_timeout_seconds,
            max_participants=self.options.max_participants,
            metadata=self.options.metadata,
            enabled_codecs=CODECS,
        )
        self._times = _Times(self.clock())
        self._speakers = Speakers()

    @property
    def sid(self) -> str:
        return self._state.sid

    @property
    def is_full(self) -> bool:
        most = self._state.max_participants
        return bool(most) and sum(1 for p in self.participants.values() if not p.is_dependent) >= most

    def info(self) -> models.Room:
        info = models.Room()
        info.CopyFrom(self._state)
        everybody = self.participants.values()
        # As LiveKit counts: whoever hides is one of them, and agents and recorders are not.
        info.num_participants = sum(1 for p in everybody if not p.is_dependent)
        info.num_publishers = sum(1 for p in everybody if p.publishing.tracks)
        info.active_recording = any(p.permission.recorder for p in everybody)
        return info

    # --- coming and going

    def admit(self, participant: Participant) -> list[models.ParticipantInfo]:
        """Takes them in and returns who was there before, as the join response tells it."""
        others = [p.info() for p in self.participants.values() if not p.is_hidden]
        self.participants[participant.identity] = participant
        if not participant.is_dependent:
            self._times.first_joined_at = self._times.first_joined_at or self.clock()
        return others

    def remove(self, participant: Participant, reason: models.DisconnectReason, notify: bool = True) -> None:
        if participant.has_left:
            return
        if notify:
            participant.send(leave=rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.DISCONNECT))
        participant.hang_up()
        if self.participants.get(participant.identity) is participant:
            del self.participants[participant.identity]
        tracks = list(participant.publishing.tracks.values())
        participant.leave(reason)
        if not participant.is_dependent:
            self._times.last_left_at = self.clock()
        self.counters.depart(models.DisconnectReason.Name(reason))
        self._tell_others(participant)
        for track in tracks:
            self._end_subscriptions(track)
            if track.is_announced:
                self.listener.on_track_unpublished(self, track, participant)
        self.listener.on_participant_left(self, participant)

    def close(self, reason: models.DisconnectReason, end: models.RoomEndReason) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        for participant in sorted(self.participants.values(), key=lambda p: p.is_dependent):
            self.remove(participant, reason)
        for waiting in self.waiting_calls.values():
            waiting.abandon()
        self.on_closed(self)
        self.listener.on_room_closed(self, end)

    # --- what participants report

    def on_active(self, participant: Participant) -> None:
        speaking = self._speakers.now()
        if speaking:
            participant.send(speakers_changed=rtc.SpeakersChanged(speakers=speaking))
        self.listener.on_participant_active(self, participant)

    def on_changed(self, participant: Participant, tell_self: bool) -> None:
        self._tell_others(participant)
        if tell_self:
            participant.send(update=rtc.ParticipantUpdate(participants=[participant.info()]))

    def on_published(self, track: PublishedTrack) -> None:
        participant = self._publisher(track)
        if participant is None or track.is_announced or not participant.is_active:
            return
        track.is_announced = True
        participant.changed()
        self.listener.on_track_published(self, track, participant)
        for other in list(self.participants.values()):
            other.subscribing.follow(track)

    def on_hearers_changed(self, participant: Participant) -> None:
        for track in list(participant.publishing.tracks.values()):
            for other in list(self.participants.values()):
                other.subscribing.reconsider(track)

    def on_unpublished(self, track: PublishedTrack) -> None:
        participant = self._publisher(track)
        if participant is None:
            return
        participant.changed()
        self._end_subscriptions(track)
        if track.is_announced:
            self.listener.on_track_unpublished(self, track, participant)

    def on_signal_lost(self, participant: Participant) -> None:
        """Whoever was in may resume; whoever never got in will start over."""
        if participant.has_been_active:
            self.listener.on_signal_lost(self, participant)
        else:
            self.remove(participant, Reason.SIGNAL_CLOSE)

    def on_data(self, sender: Participant, packet: models.DataPacket) -> None:
        if packet.HasField("rpc_ack") and packet.rpc_ack.request_id in self.waiting_calls:
            self.waiting_calls[packet.rpc_ack.request_id].on_ack()
        elif packet.HasField("rpc_response") and packet.rpc_response.request_id in self.waiting_calls:
            self.waiting_calls[packet.rpc_response.request_id].on_response(packet.rpc_response)
        else:
            self.send_data(packet, sender)

    def tracks_of_others(self, participant: Participant) -> Iterator[PublishedTrack]:
        for other in list(self.participants.values()):
            if other is not participant:
                yield from list(other.publishing.tracks.values())

    # --- what everybody hears

    def send_data(self, packet: models.DataPacket, sender: Participant | None = None) -> None:
        """To those named, or else to everybody but the sender."""
        label, raw = data.label(packet.kind), packet.SerializeToString()
        named = set(packet.destination_identities)
        for participant in self.participants.values():
            if participant is not sender and (not named or participant.identity in named):
                participant.deliver(label, raw)

    def set_metadata(self, metadata: str) -> None:
        self._state.metadata = metadata
        self._tell_all(room_update=rtc.RoomUpdate(room=self.info()))

    def visible_to(self, participant: Participant) -> list[models.ParticipantInfo]:
        return [p.info() for p in self.participants.values() if p is not participant and not p.is_hidden]

    def _tell_others(self, participant: Participant) -> None:
        if participant.is_hidden:
            return
        update = rtc.ParticipantUpdate(participants=[participant.info()])
        for other in self.participants.values():
            if other is not participant:
                other.send(update=update)

    def _tell_all(self, **message: Message) -> None:
        for participant in self.participants.values():
            participant.send(**message)

    def _end_subscriptions(self, track: PublishedTrack) -> None:
        for participant in self.participants.values():
            participant.subscribing.forget(track.sid)

    def _publisher(self, track: PublishedTrack) -> Participant | None:
        for participant in self.participants.values():
            if participant is track.publisher:
                return participant
        return None

    # --- as time passes

    def see_speakers(self) -> None:
        changed = self._speakers.change(self.participants.values())
        if changed:
            self._tell_all(speakers_changed=rtc.SpeakersChanged(speakers=changed))

    def report_reception(self) -> None:
        for participant in self.participants.values():
            for track in participant.publishing.tracks.values():
                track.report_reception()

    def report_quality(self) -> None:
        updates = self._speakers.change_of_qualities(self.participants.values())
        if updates:
            self._tell_all(connection_quality=rtc.ConnectionQualityUpdate(updates=updates))

    def sweep(self, now: float) -> None:
        """Removes who is gone without a word, and closes the room once nobody but dependants was in it for long."""
        for participant in list(self.participants.values()):
            lost_at = participant.signal_lost_at
            if lost_at is not None and now - lost_at > self.resume_seconds:
                self.remove(participant, Reason.CONNECTION_TIMEOUT)
            elif now - participant.heard_at() > self.media_silence_seconds:
                timed_out = Reason.CONNECTION_TIMEOUT if participant.is_active else Reason.JOIN_FAILURE
                self.remove(participant, timed_out)
        if self._has_been_empty_too_long(now, self.participants.values()):
            self.close(Reason.ROOM_CLOSED, End.ROOM_END_IDLE_TIMEOUT)

    def _has_been_empty_too_long(self, now: float, present: Iterable[Participant]) -> bool:
        if any(not participant.is_dependent for participant in present):
            return False
        times = self._times
        if times.first_joined_at is not None and times.last_left_at is not None:
            return now - times.last_left_at >= self._state.departure_timeout
        return now - times.opened_at >= self._state.empty_timeout


class RpcAnswers(Protocol):
    """A call of the API into a participant's code that has not been answered."""

    def on_ack(self) -> None: ...
    def on_response(self, response: models.RpcResponse) -> None: ...
    def abandon(self) -> None: ...
