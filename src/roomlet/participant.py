"""One participant of one room: who they are, what they may do, their signalling and their media.

What happens around them is the room's; a participant reports to its `Surroundings` and does not reach further.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from google.protobuf.message import Message
from livekit.protocol import models, rtc

from roomlet import data
from roomlet.hearers import Hearers
from roomlet.ice import IcePorts
from roomlet.identifiers import new_id
from roomlet.limits import Limits, size_of
from roomlet.metrics import Counters
from roomlet.publishing import Publishing
from roomlet.sctp import PORT, Channel
from roomlet.subscribing import DualSubscribing, SingleSubscribing, Subscribing
from roomlet.tokens import Claims
from roomlet.tracks import PublishedTrack
from roomlet.transport import PeerTransport

log = logging.getLogger(__name__)
State, Kind = models.ParticipantInfo, models.ParticipantInfo
KINDS = {"agent": Kind.AGENT, "sip": Kind.SIP, "egress": Kind.EGRESS, "ingress": Kind.INGRESS}
DEPENDENT = (Kind.AGENT, Kind.EGRESS)
"""Participants that are there for others. A room with nobody else is empty."""
SERVER_CHANNELS: tuple[tuple[str, dict[str, object]], ...] = (
    (data.RELIABLE, {}),
    (data.LOSSY, {"ordered": False, "maxRetransmits": 0}),
)


class Surroundings(Protocol):
    """What a participant needs of its room."""

    def on_active(self, participant: "Participant") -> None: ...
    def on_changed(self, participant: "Participant", tell_self: bool) -> None: ...
    def on_hearers_changed(self, participant: "Participant") -> None: ...
    def on_published(self, track: PublishedTrack) -> None: ...
    def on_unpublished(self, track: PublishedTrack) -> None: ...
    def on_data(self, sender: "Participant", packet: models.DataPacket) -> None: ...
    def on_signal_lost(self, participant: "Participant") -> None: ...
    def remove(self, participant: "Participant", reason: models.DisconnectReason, notify: bool = True) -> None: ...
    def tracks_of_others(self, participant: "Participant") -> Iterable[PublishedTrack]: ...


class Outbox(Protocol):
    """Where signal messages go while a socket is attached."""

    def put(self, message: bytes) -> None: ...
    def close(self) -> None: ...


class Participant:
    def __init__(
        self,
        surroundings: Surroundings,
        ports: IcePorts,
        claims: Claims,
        client: models.ClientInfo,
        *,
        dual: bool,
        auto_subscribe: bool,
        counters: Counters,
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.surroundings, self.claims, self.limits, self.counters = surroundings, claims, limits, counters
        self.dual, self.client = dual, client
        self._clock = clock
        self._state = _new_info(claims, client)
        self.publishing_transport = PeerTransport(ports, self, clock)
        self.subscribing_transport = PeerTransport(ports, self, clock) if dual else self.publishing_transport
        self.publishing = Publishing(self)
        self.subscribing: Subscribing = (
            DualSubscribing(self, auto_subscribe) if dual else SingleSubscribing(self, auto_subscribe)
        )
        self.hearers = Hearers()
        self._channels: dict[str, Channel] = {}
        self._queued: list[tuple[str, bytes]] = []
        self._outbox: Outbox | None = None
        self.signal_lost_at: float | None = None
        self.last_reliable_sequence = 0
        self.has_been_active = False
        self.has_left = False

    # --- who

    @property
    def sid(self) -> str:
        return self._state.sid

    @property
    def identity(self) -> str:
        return self._state.identity

    @property
    def permission(self) -> models.ParticipantPermission:
        return self._state.permission

    @property
    def is_hidden(self) -> bool:
        return self._state.permission.hidden

    @property
    def is_agent(self) -> bool:
        return self._state.kind == Kind.AGENT

    @property
    def is_dependent(self) -> bool:
        return self._state.kind in DEPENDENT

    @property
    def is_active(self) -> bool:
        return self._state.state == State.ACTIVE

    def info(self) -> models.ParticipantInfo:
        """A track counts as published once its media path exists, so that nobody hears of it before they hear of its
        publisher."""
        info = models.ParticipantInfo()
        info.CopyFrom(self._state)
        if self.is_active or self.has_left:
            info.tracks.extend(track.info for track in self.publishing.tracks.values())
            info.is_publisher = bool(self.publishing.tracks)
        return info

    # --- signalling

    @property
    def has_signal(self) -> bool:
        return self._outbox is not None

    def attach(self, outbox: Outbox) -> None:
        if self._outbox is not None:
            self._outbox.close()
        self._outbox, self.signal_lost_at = outbox, None

    def detach(self, outbox: Outbox) -> None:
        if self._outbox is outbox:
            self._outbox, self.signal_lost_at = None, self._clock()
            if not self.has_left:
                self.surroundings.on_signal_lost(self)

    def send(self, **message: Message | str | int | None) -> None:
        if self._outbox is not None:
            arguments: dict[str, Any] = message
            self._outbox.put(rtc.SignalResponse(**arguments).SerializeToString())

    def hang_up(self) -> None:
        """Closes the socket once everything said has been sent."""
        if self._outbox is not None:
            self._outbox.close()

    # --- life

    def on_joined(self) -> None:
        """Called once the join response is on its way: subscriptions may follow it, never precede it."""
        self._state.state = State.JOINED
        self.changed()
        self.subscribing.open()

    def changed(self, tell_self: bool = False) -> None:
        self._state.version += 1
        self.surroundings.on_changed(self, tell_self)

    def on_connected(self, transport: PeerTransport) -> None:
        primary = self.subscribing_transport if self.permission.can_subscribe else self.publishing_transport
        if transport is self.subscribing_transport and self.dual:
            self._open_channels(transport)
        if transport is primary or (not self.is_active and transport is self.publishing_transport and not self.dual):
            self._activate()

    def _activate(self) -> None:
        if self.is_active or self.has_left:
            return
        self._state.state = State.ACTIVE
        self.has_been_active = True
        self.changed()
        self.surroundings.on_active(self)
        for track in list(self.publishing.tracks.values()):
            self.surroundings.on_published(track)

    def leave(self, reason: models.DisconnectReason) -> None:
        self.has_left = True
        self.subscribing.close()
        self.publishing.close()
        self.publishing_transport.close()
        self.subscribing_transport.close()
        self._state.state = State.DISCONNECTED
        self._state.disconnect_reason = reason
        self._state.version += 1

    def heard_at(self) -> float:
        """When any of its connections last proved to be alive; one that is not needed is never set up."""
        return max(self.subscribing_transport.last_heard_at, self.publishing_transport.last_heard_at)

    # --- rights and description

    def describe(self, metadata: str, attributes: Mapping[str, str]) -> None:
        """What a client says of itself while it joins, on top of its token. Nobody has seen it yet."""
        if metadata and len(metadata.encode()) <= self.limits.metadata_bytes:
            self._state.metadata = metadata
        if size_of(self.attributes_after(attributes)) <= self.limits.attributes_bytes:
            self._state.attributes.update(attributes)

    def attributes_after(self, changes: Mapping[str, str]) -> dict[str, str]:
        """An attribute set to nothing is removed."""
        return {key: value for key, value in {**self._state.attributes, **changes}.items() if value}

    def update(self, metadata: str, name: str, attributes: Mapping[str, str]) -> None:
        """Empty means unchanged."""
        if metadata:
            self._state.metadata = metadata
        if name:
            self._state.name = name
        changed = self.attributes_after(attributes)
        self._state.attributes.clear()
        self._state.attributes.update(changed)
        self.claims = replace(self.claims, metadata=self._state.metadata, name=self._state.name, attributes=changed)
        self.changed(tell_self=True)

    def permit(self, permission: models.ParticipantPermission) -> None:
        """Rights taken away take effect at once: tracks are unpublished, subscriptions end."""
        self._state.permission.CopyFrom(permission)
        self._state.permission.agent = permission.agent or self.is_agent
        self.claims = replace(self.claims, grants=self.claims.grants.changed_to(permission))
        self.publishing.keep_to_rights()
        if permission.can_subscribe:
            self.subscribing.follow_all()
        else:
            self.subscribing.drop_all()
        self.changed(tell_self=True)

    def choose_hearers(self, hearers: Hearers) -> None:
        self.hearers = hearers
        self.surroundings.on_hearers_changed(self)

    def may_publish(self, source: models.TrackSource) -> bool:
        allowed = self.permission.can_publish_sources
        return self.permission.can_publish and (not allowed or source in allowed)

    # --- data

    def on_channel(self, transport: PeerTransport, channel: Channel) -> None:
        """A channel the client opened. Clients with one connection are answered on it too."""
        if not self.dual:
            self._use(channel)
        if channel.label in (data.RELIABLE, data.LOSSY):
            channel.on_message(lambda message: self._on_message(channel.label, message))

    def _open_channels(self, transport: PeerTransport) -> None:
        transport.start_sctp(PORT)
        for channel in transport.open_channels(*SERVER_CHANNELS):
            channel.on_open(lambda channel=channel: self._use(channel))  # type: ignore[misc]

    def _use(self, channel: Channel) -> None:
        self._channels[channel.label] = channel
        waiting, self._queued = self._queued, []
        for label, message in waiting:
            self.deliver(label, message)

    def deliver(self, label: str, message: bytes) -> None:
        channel = self._channels.get(label)
        if channel is not None:
            if not channel.send(message):
                self.counters.data_dropped += 1
        elif label == data.RELIABLE and len(self._queued) < data.MOST_QUEUED:
            self._queued.append((label, message))
        else:
            self.counters.data_dropped += 1

    def _on_message(self, label: str, message: bytes | str) -> None:
        self.counters.data_messages += 1
        too_big = len(message) > self.limits.data_message_bytes
        if isinstance(message, str) or too_big or not self.permission.can_publish_data or self.has_left:
            self.counters.data_dropped += 1
            return
        packet = data.parse(message)
        if packet is None or self._is_repeated(label, packet.sequence):
            self.counters.data_dropped += 1
            return
        sender = data.Sender(self.sid, self.identity, self.is_hidden, self.is_agent)
        if data.attribute(packet, data.kind_of(label), sender):
            self.surroundings.on_data(self, packet)

    def _is_repeated(self, label: str, sequence: int) -> bool:
        """A client that resumed sends again what it cannot know to have arrived."""
        if label != data.RELIABLE or not sequence:
            return False
        if sequence <= self.last_reliable_sequence:
            return True
        self.last_reliable_sequence = sequence
        return False

    # --- tracks

    def on_first_subscriber(self, track: PublishedTrack) -> None:
        self.send(track_subscribed=rtc.TrackSubscribed(track_sid=track.sid))

    def new_track(self, info: models.TrackInfo, client_id: str) -> PublishedTrack:
        return PublishedTrack(
            self, info, client_id, self.counters, asyncio.get_running_loop().call_later, clock=self._clock
        )


def _new_info(claims: Claims, client: models.ClientInfo) -> models.ParticipantInfo:
    now = time.time()
    kind = KINDS.get(claims.kind, Kind.STANDARD)
    info = models.ParticipantInfo(
        sid=new_id("PA_"),
        identity=claims.identity,
        name=claims.name,
        metadata=claims.metadata,
        state=State.JOINING,
        kind=kind,
        joined_at=int(now),
        joined_at_ms=int(now * 1000),
        version=1,
        client_protocol=client.client_protocol,
        capabilities=list(client.capabilities),
        permission=claims.grants.permission(is_agent=kind == Kind.AGENT),
    )
    info.attributes.update(claims.attributes)
    return info
