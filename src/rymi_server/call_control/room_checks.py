"""Compares calls with rooms, for what no notice told: LiveKit gives up telling somebody who does not answer for long.

Rooms without a call are closed; people whom no notice brought in or out are brought in or out; a call whose room is
gone under people is over.
"""

from datetime import timedelta

import structlog

from rymi_server.call_control.notices import came_in, went_out
from rymi_server.calls import running, store
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import (
    Call,
    EndReason,
    LeaveReason,
    Participant,
    ParticipantStatus,
    Role,
    Transport,
)
from rymi_server.calls.transitions import end
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.rooms import stays
from rymi_server.rooms.naming import call_of_room, room_name
from rymi_server.rooms.server import Guest, RoomServer

log = structlog.get_logger(__name__)

# A room is closed by the end of its call; one that still stands later was forgotten.
_CLOSES_WITHIN = timedelta(seconds=20)
_JUST_NOW = timedelta(seconds=5)
_MOST_CALLS = 1_000


class RoomChecks:
    def __init__(self, database: Database, clock: Clock, rooms: RoomServer) -> None:
        self._database = database
        self._clock = clock
        self._rooms = rooms

    async def sweep(self) -> None:
        """Raise `LiveKitUnavailable` where there is nobody to compare with."""
        open_rooms = await self._rooms.open_rooms()
        await self._close_forgotten(open_rooms)
        async with self._database.transaction() as tx:
            live = await running.with_guests(tx, _MOST_CALLS)
        for call in live:
            guests = await self._rooms.guests(room_name(call.id)) if room_name(call.id) in open_rooms else []
            async with self._database.transaction() as tx:
                doubtful = await self._doubtful(tx, call, guests)
            if doubtful:
                await self._settle(call)

    async def _close_forgotten(self, open_rooms: set[str]) -> None:
        """A room of whose call we know nothing may be another installation's."""
        ours = [call_id for room in open_rooms if (call_id := call_of_room(room))]
        async with self._database.transaction() as tx:
            over = await running.ended_before(tx, ours, self._clock.now() - _CLOSES_WITHIN)
        for call_id in over:
            log.warning("room_forgotten", call_id=call_id)
            await self._rooms.close(room_name(call_id))

    async def _doubtful(self, tx: Transaction, call: Call, guests: list[Guest]) -> bool:
        people = await _people(tx, call)
        return any([await self._differs(tx, who, _guest_of(who, guests)) for who in people])

    async def _settle(self, call: Call) -> None:
        """With the call locked, so that no notice is taken in between: what the room says now is the truth."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            locked = await store.lock_by_room(tx, call.id)
            if locked is None or locked.status in OVER:
                return
            room = room_name(call.id)
            guests = await self._rooms.guests(room)
            people = await _people(tx, locked)
            if not guests and room not in await self._rooms.open_rooms() and _people_inside(people):
                await end(tx, locked, EndReason.ROOM_CLOSED, now)
                return
            for who in people:
                guest = _guest_of(who, guests)
                if not await self._differs(tx, who, guest):
                    continue
                log.warning("notice_missed", call_id=call.id)
                if guest is None:
                    await went_out(tx, locked, who, LeaveReason.CONNECTION_LOST, now)
                else:
                    await came_in(tx, locked, who, guest.sid, now)
                locked = await store.get(tx, locked.tenant_id, locked.id)

    async def _differs(self, tx: Transaction, who: Participant, guest: Guest | None) -> bool:
        if guest is None:
            settled = who.joined_at is None or self._clock.now() - who.joined_at < _JUST_NOW
            return who.status is ParticipantStatus.ACTIVE and not settled
        if who.status is ParticipantStatus.ACTIVE or who.status is ParticipantStatus.FAILED:
            return False
        # One who has left is in again only by a new stay.
        return (await stays.of(tx, who.id)).left_sid != guest.sid


async def _people(tx: Transaction, call: Call) -> list[Participant]:
    """Those of whom the room decides whether they are in."""
    decided = (Transport.WEBRTC, Transport.INTERNAL)
    return [p for p in await store.participants_of(tx, call.id) if p.transport in decided]


def _people_inside(people: list[Participant]) -> bool:
    return any(p.role is not Role.AGENT and p.status is ParticipantStatus.ACTIVE for p in people)


def _guest_of(who: Participant, guests: list[Guest]) -> Guest | None:
    mine = (who.id, who.identity)
    return next((guest for guest in guests if guest.participant_id == who.id or guest.identity in mine), None)
