"""Closes the room of a call that is over. Whoever is still connected is disconnected by it."""

from collections.abc import Mapping
from typing import Any, Protocol

from rymi_server.calls.facts import CallEnded
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.rooms.naming import room_name

CLOSE_ROOM = JobKind("rooms", "close_room", attempts=8, backoff=Backoff(first_ms=500))


async def close_when_call_ended(tx: Transaction, fact: CallEnded) -> None:
    job = NewJob({"call_id": fact.call_id, "tenant_id": fact.tenant_id}, id=f"close-{fact.call_id}")
    await enqueue(tx, CLOSE_ROOM, job)


async def close_when_entered_late(tx: Transaction, call: CallId, tenant: TenantId, sid: str) -> None:
    """Whoever comes into the room of a call that is over opens it again; `sid` is their stay."""
    await enqueue(tx, CLOSE_ROOM, NewJob({"call_id": call, "tenant_id": tenant}, id=f"close-{call}-{sid}"))


class Rooms(Protocol):
    """Who closes rooms. Whoever only has one closed does not load LiveKit's client for it."""

    async def close(self, room: str) -> None: ...


class RoomCloser:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def __call__(self, job: Mapping[str, Any]) -> None:
        await self._rooms.close(room_name(CallId(job["call_id"])))
