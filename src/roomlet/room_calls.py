"""What each method of LiveKit's RoomService and AgentDispatchService does. Encodings and HTTP are `twirp`'s."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message
from livekit.protocol import agent_dispatch, models, rtc
from livekit.protocol import room as protocol
from livekit.protocol.agent_dispatch import RoomAgentDispatch

from roomlet import remote_calls
from roomlet.dispatch import Dispatcher
from roomlet.errors import FailedPrecondition, InvalidArgument, NotFound
from roomlet.limits import Limits, size_of
from roomlet.participant import Participant
from roomlet.room import Room
from roomlet.rooms import RoomRequest, Rooms
from roomlet.tokens import Claims

NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Method:
    """A request's type, and what to do with one. It raises `Refused`."""

    request: type[Message]
    act: Callable[..., Awaitable[Message]]


@dataclass
class RoomCalls:
    rooms: Rooms
    dispatcher: Dispatcher
    limits: Limits

    def methods(self) -> Mapping[tuple[str, str], Method]:
        room, dispatch = "livekit.RoomService", "livekit.AgentDispatchService"
        return {
            (room, "CreateRoom"): Method(protocol.CreateRoomRequest, self.create_room),
            (room, "ListRooms"): Method(protocol.ListRoomsRequest, self.list_rooms),
            (room, "DeleteRoom"): Method(protocol.DeleteRoomRequest, self.delete_room),
            (room, "UpdateRoomMetadata"): Method(protocol.UpdateRoomMetadataRequest, self.update_room_metadata),
            (room, "ListParticipants"): Method(protocol.ListParticipantsRequest, self.list_participants),
            (room, "GetParticipant"): Method(protocol.RoomParticipantIdentity, self.get_participant),
            (room, "RemoveParticipant"): Method(protocol.RoomParticipantIdentity, self.remove_participant),
            (room, "MutePublishedTrack"): Method(protocol.MuteRoomTrackRequest, self.mute_published_track),
            (room, "UpdateParticipant"): Method(protocol.UpdateParticipantRequest, self.update_participant),
            (room, "UpdateSubscriptions"): Method(protocol.UpdateSubscriptionsRequest, self.update_subscriptions),
            (room, "SendData"): Method(protocol.SendDataRequest, self.send_data),
            (room, "PerformRpc"): Method(protocol.PerformRpcRequest, self.perform_rpc),
            (dispatch, "CreateDispatch"): Method(agent_dispatch.CreateAgentDispatchRequest, self.create_dispatch),
            (dispatch, "ListDispatch"): Method(agent_dispatch.ListAgentDispatchRequest, self.list_dispatch),
            (dispatch, "DeleteDispatch"): Method(agent_dispatch.DeleteAgentDispatchRequest, self.delete_dispatch),
        }

    # --- rooms

    async def create_room(self, claims: Claims, request: protocol.CreateRoomRequest) -> models.Room:
        claims.must_create_rooms()
        for wanted in request.agents:
            self._check_sizes(wanted.metadata, wanted.attributes)
        room, _ = self.rooms.open(
            RoomRequest(
                request.name,
                request.empty_timeout,
                request.departure_timeout,
                request.max_participants,
                request.metadata,
                tuple(request.agents),
            )
        )
        return room.info()

    async def list_rooms(self, claims: Claims, request: protocol.ListRoomsRequest) -> protocol.ListRoomsResponse:
        claims.must_list_rooms()
        names = set(request.names)
        found = [room.info() for room in self.rooms.all() if not names or room.name in names]
        return protocol.ListRoomsResponse(rooms=found)

    async def delete_room(self, claims: Claims, request: protocol.DeleteRoomRequest) -> protocol.DeleteRoomResponse:
        claims.must_create_rooms()
        room = self.rooms.existing(request.room)
        room.close(models.DisconnectReason.ROOM_DELETED, models.RoomEndReason.ROOM_END_API_DELETE)
        return protocol.DeleteRoomResponse()

    async def update_room_metadata(self, claims: Claims, request: protocol.UpdateRoomMetadataRequest) -> models.Room:
        room = self._room(claims, request.room)
        self._check_sizes(request.metadata, {})
        room.set_metadata(request.metadata)
        return room.info()

    # --- participants

    async def list_participants(
        self, claims: Claims, request: protocol.ListParticipantsRequest
    ) -> protocol.ListParticipantsResponse:
        claims.must_administer(request.room)
        room = self.rooms.find(request.room)
        present = room.participants.values() if room is not None else ()
        return protocol.ListParticipantsResponse(participants=[participant.info() for participant in present])

    async def get_participant(
        self, claims: Claims, request: protocol.RoomParticipantIdentity
    ) -> models.ParticipantInfo:
        return self._participant(claims, request.room, request.identity).info()

    async def remove_participant(
        self, claims: Claims, request: protocol.RoomParticipantIdentity
    ) -> protocol.RemoveParticipantResponse:
        participant = self._participant(claims, request.room, request.identity)
        self.rooms.existing(request.room).remove(participant, models.DisconnectReason.PARTICIPANT_REMOVED)
        return protocol.RemoveParticipantResponse()

    async def mute_published_track(
        self, claims: Claims, request: protocol.MuteRoomTrackRequest
    ) -> protocol.MuteRoomTrackResponse:
        """Muting from outside is allowed; unmuting would switch on a microphone its owner switched off."""
        participant = self._participant(claims, request.room, request.identity)
        track = participant.publishing.tracks.get(request.track_sid)
        if track is None:
            raise NotFound("track is not found")
        if track.info.muted and not request.muted:
            raise FailedPrecondition("remote unmute not enabled")
        participant.publishing.mute(track.sid, request.muted)
        participant.send(mute=rtc.MuteTrackRequest(sid=track.sid, muted=request.muted))
        return protocol.MuteRoomTrackResponse(track=track.info)

    async def update_participant(
        self, claims: Claims, request: protocol.UpdateParticipantRequest
    ) -> models.ParticipantInfo:
        participant = self._participant(claims, request.room, request.identity)
        self._check_sizes(request.metadata, participant.attributes_after(request.attributes))
        if len(request.name.encode()) > self.limits.name_length:
            raise InvalidArgument("name length exceeds limits")
        if request.HasField("permission"):
            participant.permit(request.permission)
        if request.metadata or request.name or request.attributes:
            participant.update(request.metadata, request.name, request.attributes)
        return participant.info()

    async def update_subscriptions(
        self, claims: Claims, request: protocol.UpdateSubscriptionsRequest
    ) -> protocol.UpdateSubscriptionsResponse:
        participant = self._participant(claims, request.room, request.identity)
        of_participants = (sid for tracks in request.participant_tracks for sid in tracks.track_sids)
        participant.subscribing.choose([*request.track_sids, *of_participants], request.subscribe)
        return protocol.UpdateSubscriptionsResponse()

    # --- data

    async def send_data(self, claims: Claims, request: protocol.SendDataRequest) -> protocol.SendDataResponse:
        room = self._room(claims, request.room)
        if request.nonce and len(request.nonce) != NONCE_BYTES:
            raise InvalidArgument(f"nonce should be {NONCE_BYTES} bytes or not present")
        if len(request.data) > self.limits.data_message_bytes:
            raise InvalidArgument(f"data is larger than {self.limits.data_message_bytes} bytes")
        sids = set(request.destination_sids)
        named = [p.identity for p in room.participants.values() if p.sid in sids]
        packet = models.DataPacket(
            kind=request.kind,
            destination_identities=[*request.destination_identities, *named],
            user=models.UserPacket(
                payload=request.data,
                topic=request.topic if request.HasField("topic") else None,
                nonce=request.nonce,
            ),
        )
        if packet.destination_identities or not sids:
            room.send_data(packet)
        return protocol.SendDataResponse()

    async def perform_rpc(self, claims: Claims, request: protocol.PerformRpcRequest) -> protocol.PerformRpcResponse:
        if not request.destination_identity:
            raise InvalidArgument("destination identity is required")
        participant = self._participant(claims, request.room, request.destination_identity)
        payload = await remote_calls.perform(self.rooms.existing(request.room), participant, request)
        return protocol.PerformRpcResponse(payload=payload)

    # --- agents

    async def create_dispatch(
        self, claims: Claims, request: agent_dispatch.CreateAgentDispatchRequest
    ) -> agent_dispatch.AgentDispatch:
        """Opens the room if it must."""
        claims.must_administer(request.room)
        self._check_sizes(request.metadata, request.attributes)
        room, _ = self.rooms.open(RoomRequest(request.room))
        wanted = RoomAgentDispatch(
            agent_name=request.agent_name,
            metadata=request.metadata,
            restart_policy=request.restart_policy,
            deployment=request.deployment,
            attributes=dict(request.attributes),
        )
        return self.dispatcher.create(room, wanted)

    async def list_dispatch(
        self, claims: Claims, request: agent_dispatch.ListAgentDispatchRequest
    ) -> agent_dispatch.ListAgentDispatchResponse:
        claims.must_administer(request.room)
        found = self.dispatcher.list(self.rooms.find(request.room), request.dispatch_id)
        return agent_dispatch.ListAgentDispatchResponse(agent_dispatches=found)

    async def delete_dispatch(
        self, claims: Claims, request: agent_dispatch.DeleteAgentDispatchRequest
    ) -> agent_dispatch.AgentDispatch:
        claims.must_administer(request.room)
        return self.dispatcher.delete(self.rooms.existing(request.room), request.dispatch_id)

    # --- what methods have in common

    def _room(self, claims: Claims, name: str) -> Room:
        claims.must_administer(name)
        return self.rooms.existing(name)

    def _participant(self, claims: Claims, room: str, identity: str) -> Participant:
        participant = self._room(claims, room).participants.get(identity)
        if participant is None:
            raise NotFound("participant does not exist")
        return participant

    def _check_sizes(self, metadata: str, attributes: Mapping[str, str]) -> None:
        if len(metadata.encode()) > self.limits.metadata_bytes:
            raise InvalidArgument("metadata size exceeds limits")
        if size_of(attributes) > self.limits.attributes_bytes:
            raise InvalidArgument("attribute size exceeds limits")
