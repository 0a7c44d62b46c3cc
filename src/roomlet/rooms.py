"""All rooms of the server: opened by a join or a call of the API, found by name, swept, closed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.protocol import models
from livekit.protocol.agent_dispatch import RoomAgentDispatch

from roomlet.errors import Draining, InvalidArgument, LimitReached, NotFound
from roomlet.metrics import Counters, Occupancy
from roomlet.room import Room, RoomListener, RoomOptions
from roomlet.settings import Settings

ADVICE = "raise the limit, or use a LiveKit server for loads of this size"


@dataclass(frozen=True, slots=True)
class RoomRequest:
    """What an API call or a token's room configuration asks of a new room. Zero and empty mean the default."""

    name: str
    empty_timeout: int = 0
    departure_timeout: int = 0
    max_participants: int = 0
    metadata: str = ""
    agents: tuple[RoomAgentDispatch, ...] = field(default=())


class Rooms:
    def __init__(
        self,
        settings: Settings,
        counters: Counters,
        listener: RoomListener,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._counters, self._listener, self._clock = settings, counters, listener, clock
        self._by_name: dict[str, Room] = {}
        self.is_draining = False

    def all(self) -> list[Room]:
        return list(self._by_name.values())

    def find(self, name: str) -> Room | None:
        return self._by_name.get(name)

    def existing(self, name: str) -> Room:
        room = self._by_name.get(name)
        if room is None:
            raise NotFound("requested room does not exist")
        return room

    def open(self, request: RoomRequest) -> tuple[Room, bool]:
        """The room of that name, and whether it is new. An open room keeps the options it has."""
        room = self._by_name.get(request.name)
        if room is not None:
            return room, False
        limits = self._settings.limits
        self.refuse_when_draining()
        if not request.name or len(request.name.encode()) > limits.name_length:
            raise InvalidArgument(f"a room needs a name of at most {limits.name_length} bytes")
        if len(request.metadata.encode()) > limits.metadata_bytes:
            raise InvalidArgument("metadata size exceeds limits")
        if len(self._by_name) >= limits.rooms:
            raise LimitReached(f"this server has its {limits.rooms} rooms open (ROOMLET_LIMIT_ROOMS): {ADVICE}")
        room = self._by_name[request.name] = self._new(request)
        self._listener.on_room_opened(room)
        return room, True

    def _new(self, request: RoomRequest) -> Room:
        settings = self._settings
        return Room(
            request.name,
            RoomOptions(
                request.empty_timeout or settings.empty_timeout_seconds,
                request.departure_timeout or settings.departure_timeout_seconds,
                request.max_participants,
                request.metadata,
                request.agents,
            ),
            self._listener,
            self._counters,
            settings.resume_seconds,
            settings.media_silence_seconds,
            self._on_closed,
            self._clock,
        )

    def refuse_when_full(self) -> None:
        most = self._settings.limits.participants
        if self.participants() >= most:
            raise LimitReached(f"this server has its {most} participants (ROOMLET_LIMIT_PARTICIPANTS): {ADVICE}")

    def refuse_when_draining(self) -> None:
        if self.is_draining:
            raise Draining("this server is stopping and takes no new rooms or participants")

    def participants(self) -> int:
        return sum(len(room.participants) for room in self._by_name.values())

    def occupancy(self, workers: int) -> Occupancy:
        return Occupancy(len(self._by_name), self.participants(), workers)

    def close_all(self) -> None:
        for room in self.all():
            room.close(models.DisconnectReason.SERVER_SHUTDOWN, models.RoomEndReason.ROOM_END_SERVER_SHUTDOWN)

    def _on_closed(self, room: Room) -> None:
        if self._by_name.get(room.name) is room:
            del self._by_name[room.name]
