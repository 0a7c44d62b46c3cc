"""What follows from LiveKit's notices: who is in, who is out, and whether a room went away under a call.

Of phones a carrier decides whether they are in the call; of browsers and agents the room does.
"""

from datetime import datetime

import structlog

from rymi_server.call_control import lost_agents
from rymi_server.calls import store
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call, EndReason, LeaveReason, Participant, ParticipantStatus, Role, Transport
from rymi_server.calls.transitions import end, participant_joined, participant_left
from rymi_server.foundation.database import Transaction
from rymi_server.rooms import stays
from rymi_server.rooms.closing import close_when_entered_late
from rymi_server.rooms.notices import Notice, is_news

log = structlog.get_logger(__name__)

_DECIDED_BY_ROOM = (Transport.WEBRTC, Transport.INTERNAL)


async def hear(tx: Transaction, notice: Notice, now: datetime) -> None:
    """Heard twice, it changes nothing."""
    call = await store.lock_by_room(tx, notice.call_id)
    if call is None or not await is_news(tx, notice, now):
        return
    match notice.kind:
        case "participant_joined":
            await _came(tx, call, notice, now)
        case "participant_left" | "participant_connection_aborted":
            await _went(tx, call, notice, now)
        case "room_finished":
            await _room_is_gone(tx, call, now)


async def came_in(tx: Transaction, call: Call, who: Participant, sid: str, now: datetime) -> None:
    """Somebody is in the room, in the stay `sid`. The call must be locked."""
    stay = await stays.of(tx, who.id)
    await stays.began(tx, who.id, sid)
    await participant_joined(tx, call, who.id, now)
    if sid and stay.left_sid == sid:  # The news of the end has overtaken that of the beginning.
        await went_out(tx, call, who, LeaveReason.USER_DISCONNECT, now)


async def went_out(tx: Transaction, call: Call, who: Participant, reason: LeaveReason, now: datetime) -> None:
    """Somebody is not in the room any more. The call must be locked."""
    if who.role is Role.AGENT:
        await lost_agents.agent_left(tx, call, who, reason, now)
    else:
        await participant_left(tx, call, who.id, reason, now)


async def _came(tx: Transaction, call: Call, notice: Notice, now: datetime) -> None:
    if call.status in OVER:
        await close_when_entered_late(tx, call.id, call.tenant_id, notice.sid)
    who = await _participant(tx, call, notice)
    if who is not None:
        await came_in(tx, call, who, notice.sid, now)


async def _went(tx: Transaction, call: Call, notice: Notice, now: datetime) -> None:
    who = await _participant(tx, call, notice)
    if who is None:
        return
    stay = await stays.of(tx, who.id)
    await stays.ended(tx, who.id, notice.sid)
    if stay.present_sid in (None, notice.sid) and who.status is ParticipantStatus.ACTIVE:
        await went_out(tx, call, who, notice.leave_reason, now)


async def _room_is_gone(tx: Transaction, call: Call, now: datetime) -> None:
    """With people in it, that ends the call. Before anybody came, LiveKit only tidied up; a new room may be opened."""
    if call.status in OVER:
        return
    people = await store.participants_of(tx, call.id)
    inside = [p for p in people if p.status is ParticipantStatus.ACTIVE]
    if any(p.role is not Role.AGENT for p in inside):
        await end(tx, call, EndReason.ROOM_CLOSED, now)
        return
    for agent in inside:
        await went_out(tx, call, agent, LeaveReason.REMOVED, now)


async def _participant(tx: Transaction, call: Call, notice: Notice) -> Participant | None:
    people = [p for p in await store.participants_of(tx, call.id) if p.transport in _DECIDED_BY_ROOM]
    by_id = [p for p in people if p.id == notice.participant_id]
    by_name = [p for p in people if p.transport is Transport.WEBRTC and p.identity == notice.identity]
    return next(iter([*by_id, *by_name]), None)
