"""LiveKit's server API in our words: who is in which room, sending agents there, and showing people out."""

from collections.abc import Awaitable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import aiohttp
from livekit.api import (
    CreateAgentDispatchRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    ListRoomsRequest,
    LiveKitAPI,
    RoomParticipantIdentity,
    ServerError,
)
from livekit.protocol.agent import JobStatus
from livekit.protocol.agent_dispatch import AgentDispatch, JobRestartPolicy
from livekit.protocol.models import ParticipantInfo

from rymi_server.foundation.errors import Unavailable
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.naming import PARTICIPANT_ATTRIBUTE

HTTP_NOT_FOUND = 404
Answer = TypeVar("Answer")


class LiveKitUnavailable(Unavailable):
    status, code = 502, "livekit_unavailable"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody in a room. `participant_id` is ours, where the token named it; `sid` is LiveKit's, new at each stay."""

    identity: str
    participant_id: str | None
    sid: str


class Uptake(Enum):
    """What has become of a dispatch.

    A LiveKit server drops a dispatch that no worker takes, and lists it without a job from then on. So it does while it
    is asking one, and for up to five seconds after one has taken it: `NOBODY` is no proof. Our room server lists a job
    from the beginning.
    """

    NOBODY = "nobody"
    TAKEN = "taken"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Dispatched:
    id: str
    metadata: str
    uptake: Uptake


class RoomServer:
    def __init__(self, livekit: LiveKit, http: aiohttp.ClientSession) -> None:
        self._api = LiveKitAPI(livekit.url, livekit.api_key, livekit.api_secret, session=http)

    async def close(self, room: str) -> None:
        """A room that is not there is closed: nobody came, or it was closed before."""
        await _or_nothing("close a room", self._api.room.delete_room(DeleteRoomRequest(room=room)))

    async def send_agent(self, room: str, agent_name: str, metadata: str) -> str:
        """Have an agent worker of that name send an agent into the room, which is opened for it. The dispatch's id.

        LiveKit is told not to send another one by itself: that one would bear the same name and the same run.
        """
        wanted = CreateAgentDispatchRequest(
            room=room, agent_name=agent_name, metadata=metadata, restart_policy=JobRestartPolicy.JRP_NEVER
        )
        return (await _asked("send an agent", self._api.agent_dispatch.create_dispatch(wanted))).id

    async def agents_sent(self, room: str) -> list[Dispatched]:
        listing = self._api.agent_dispatch.list_dispatch(room)
        found = await self._where_open(room, "list the agents of a room", listing)
        return [Dispatched(each.id, each.metadata, _uptake(each)) for each in found or []]

    async def call_off(self, room: str, dispatch_id: str) -> None:
        """Whoever would take that dispatch does not come any more, and whoever has is sent away."""
        await self._where_open(room, "call an agent off", self._api.agent_dispatch.delete_dispatch(dispatch_id, room))

    async def show_out(self, room: str, identity: str) -> None:
        """Who is not there has left."""
        leaver = RoomParticipantIdentity(room=room, identity=identity)
        await _or_nothing("remove a participant", self._api.room.remove_participant(leaver))

    async def open_rooms(self) -> set[str]:
        found = await _asked("list the rooms", self._api.room.list_rooms(ListRoomsRequest()))
        return {room.name for room in found.rooms}

    async def guests(self, room: str) -> list[Guest]:
        """Those who are fully in. A room that is not there has nobody in it."""
        request = ListParticipantsRequest(room=room)
        found = await _or_nothing("list who is in a room", self._api.room.list_participants(request))
        return [_guest(each) for each in found.participants if _is_in(each)] if found else []

    async def _where_open(self, room: str, what: str, answer: Awaitable[Answer]) -> Answer | None:
        """Asked about the dispatches of a room that is not there, a LiveKit server says that it is not available."""
        try:
            return await _or_nothing(what, answer)
        except LiveKitUnavailable:
            if await self._is_open(room):
                raise
            return None

    async def _is_open(self, room: str) -> bool:
        found = await _asked("look for a room", self._api.room.list_rooms(ListRoomsRequest(names=[room])))
        return bool(found.rooms)


async def _asked(what: str, answer: Awaitable[Answer]) -> Answer:
    try:
        return await answer
    except ServerError as error:
        raise LiveKitUnavailable(f"LiveKit refused to {what}: {error.code}.", retryable=error.status >= 500) from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise LiveKitUnavailable("LiveKit cannot be reached.", retryable=True) from error


async def _or_nothing(what: str, answer: Awaitable[Answer]) -> Answer | None:
    try:
        return await _asked(what, answer)
    except LiveKitUnavailable as error:
        if isinstance(error.__cause__, ServerError) and error.__cause__.status == HTTP_NOT_FOUND:
            return None
        raise


def _uptake(dispatch: AgentDispatch) -> Uptake:
    statuses = {job.state.status for job in dispatch.state.jobs}
    if not statuses:
        return Uptake.NOBODY
    return Uptake.ENDED if statuses <= {JobStatus.JS_SUCCESS, JobStatus.JS_FAILED} else Uptake.TAKEN


def _guest(info: ParticipantInfo) -> Guest:
    return Guest(info.identity, info.attributes.get(PARTICIPANT_ATTRIBUTE), info.sid)


def _is_in(info: ParticipantInfo) -> bool:
    return bool(info.state in (ParticipantInfo.JOINED, ParticipantInfo.ACTIVE))
