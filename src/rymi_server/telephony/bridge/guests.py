"""Who knocks at the gateway, who is let in, and what is told of it. The bridge knows no more of a call than this."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rymi_server.calls.models import Participant
from rymi_server.foundation.ids import CallId, LegId, TenantId


@dataclass(frozen=True, slots=True)
class Knock:
    """A media socket that wants to be opened. `headers` by lower-case names."""

    carrier: str
    leg_id: LegId
    token: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Guest:
    """A phone that is let in."""

    leg_id: LegId
    call_id: CallId
    tenant_id: TenantId
    participant: Participant


class Ending(StrEnum):
    """Why a bridge is over."""

    HUNG_UP = "hung_up"
    CONNECTION_LOST = "connection_lost"
    ROOM_CLOSED = "room_closed"
    # Another gateway has taken the phone over.
    REPLACED = "replaced"
    NO_ROOM = "no_room"
    MISBEHAVED = "misbehaved"
    STOPPED = "stopped"


class Door(Protocol):
    async def admit(self, knock: Knock) -> Guest | None:
        """Whose socket this is; None for a token that opens nothing (any more) or a signature that is wrong."""
        ...


class BridgeLog(Protocol):
    """Where it is put on record that a phone is in, and that it is out again."""

    async def bridged(self, guest: Guest) -> bool:
        """Whether the call still wants it."""
        ...

    async def unbridged(self, guest: Guest, ending: Ending) -> None:
        """The phone is out, and is to be hung up wherever it still is on the line."""
        ...
