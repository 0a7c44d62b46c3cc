"""Moves a call on. Whatever can end a call comes through here, so that it ends once, with a reason and a fact."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from rymi_server.calls import store
from rymi_server.calls.errors import CallIsOver
from rymi_server.calls.facts import CallEnded, CallStarted, ParticipantJoined, ParticipantLeft
from rymi_server.calls.lifecycle import GONE, OVER, final_status, is_over
from rymi_server.calls.models import (
    Call,
    CallStatus,
    EndReason,
    LeaveReason,
    Participant,
    ParticipantStatus,
    Role,
    Transport,
)
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record, written
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import ParticipantId, TenantId
from rymi_server.foundation.rows import write
from rymi_server.queue.facts import publish, publishing


async def end_by_api(tx: Transaction, tenant_id: TenantId, call_id: str, now: datetime) -> Call:
    """End a live call for everybody. It counts as completed, whoever was in it."""
    call = await store.lock(tx, tenant_id, call_id)
    if call.status in OVER:
        raise CallIsOver
    await _close(tx, call, CallStatus.COMPLETED, EndReason.ENDED_BY_API, now)
    return call


async def end(tx: Transaction, call: Call, reason: EndReason, now: datetime) -> bool:
    """End a call from inside, for `reason`. Whether it was still live. `call` must be locked."""
    if call.status in OVER:
        return False
    participants = await store.participants_of(tx, call.id)
    await _close(tx, call, final_status(participants), reason, now, participants)
    return True


async def phone_rings(tx: Transaction, call: Call, participant_id: ParticipantId | None = None) -> None:
    """The number of this participant is being rung, perhaps for a call that nobody is in yet. `call` must be locked."""
    if participant_id and call.status not in OVER:
        await store.ring(tx, participant_id)
    if call.status is CallStatus.QUEUED:
        await store.change(tx, call.id, status=CallStatus.RINGING)


async def participant_joined(tx: Transaction, call: Call, participant_id: ParticipantId, now: datetime) -> bool:
    """Somebody is in, with media. Whether that is news: told twice or too late, it is not. `call` must be locked."""
    comers = [p for p in await store.participants_of(tx, call.id) if p.id == participant_id]
    if call.status in OVER or not comers or comers[0].status is ParticipantStatus.ACTIVE:
        return False
    await store.join(tx, participant_id, comers[0].joined_at or now)
    who = "Agent" if comers[0].role is Role.AGENT else "Participant"
    await record(tx, call.id, Source.LIFECYCLE, f"{who} joined", now)
    await publish(tx, ParticipantJoined(call.id, call.tenant_id, participant_id))
    if call.started_at is None and comers[0].role is not Role.AGENT:
        await store.change(tx, call.id, status=CallStatus.IN_PROGRESS, started_at=now)
        await record(tx, call.id, Source.LIFECYCLE, "Call started", now)
        await publish(tx, CallStarted(call.id, call.tenant_id))
    return True


async def participant_left(
    tx: Transaction, call: Call, participant_id: ParticipantId, reason: LeaveReason, now: datetime
) -> bool:
    """Somebody is out again; a call without anybody else is over. Whether that is news. `call` must be locked."""
    people = await store.participants_of(tx, call.id)
    leaver = [p for p in people if p.id == participant_id and p.status not in GONE]
    if call.status in OVER or not leaver:
        return False
    people = await _gone(tx, people, leaver, ParticipantStatus.LEFT, reason, now)
    who = "Agent" if leaver[0].role is Role.AGENT else "Participant"
    await record(tx, call.id, Source.LIFECYCLE, f"{who} left", now)
    await _end_if_over(tx, call, people, leaver, reason, EndReason.NOBODY_JOINED, now)
    return True


async def participant_failed(
    tx: Transaction, call: Call, participant_id: ParticipantId, reason: LeaveReason, now: datetime
) -> None:
    """Somebody did not get in; a call that waits for nobody else is over. `call` must be locked."""
    people = await store.participants_of(tx, call.id)
    failed = [p for p in people if p.id == participant_id and p.status not in GONE]
    if not failed or call.status in OVER:
        return
    people = await _gone(tx, people, failed, ParticipantStatus.FAILED, reason, now)
    await _end_if_over(tx, call, people, failed, reason, EndReason.DIALING_FAILED, now)


async def give_up_on_late_joiners(tx: Transaction, call: Call, invited_before: datetime, now: datetime) -> None:
    """Browsers that were invited before then and never came have failed. `call` must be locked."""
    if call.status in OVER:
        return
    people = await store.participants_of(tx, call.id)
    late = [p for p in people if _never_came(p, invited_before)]
    if late:
        reason = LeaveReason.JOIN_TIMEOUT
        people = await _gone(tx, people, late, ParticipantStatus.FAILED, reason, now)
        await record(tx, call.id, Source.LIFECYCLE, "Participant did not join in time", now, Level.WARNING)
        await _end_if_over(tx, call, people, late, reason, EndReason.NOBODY_JOINED, now)


async def _gone(
    tx: Transaction,
    people: Sequence[Participant],
    leavers: Sequence[Participant],
    status: ParticipantStatus,
    reason: LeaveReason,
    now: datetime,
) -> list[Participant]:
    """`people`, as they are then."""
    ids = [leaver.id for leaver in leavers]
    await store.leave(tx, ids, status, reason, now)
    return [replace(p, status=status, leave_reason=reason, left_at=now) if p.id in ids else p for p in people]


async def _end_if_over(
    tx: Transaction,
    call: Call,
    people: Sequence[Participant],
    leavers: Collection[Participant],
    reason: LeaveReason,
    if_nobody_came: EndReason,
    now: datetime,
) -> None:
    """End the call if `leavers` were the last in it: `CallEnded` tells of them, too. Otherwise each is told of."""
    if is_over(people):
        status = final_status(people)
        went_on = any(person.leave_reason == LeaveReason.TRANSFERRED for person in people)
        completed = EndReason.HANDOFF_TO_HUMAN if went_on else EndReason.USER_DISCONNECT
        await _close(tx, call, status, if_nobody_came if status is CallStatus.FAILED else completed, now, people)
        return
    for leaver in leavers:
        if leaver.role is not Role.AGENT:
            await publish(tx, ParticipantLeft(call.id, call.tenant_id, leaver.id, reason))


async def _close(
    tx: Transaction,
    call: Call,
    status: CallStatus,
    reason: EndReason,
    now: datetime,
    participants: Sequence[Participant] | None = None,
) -> None:
    participants = participants or await store.participants_of(tx, call.id)
    still_here = [p.id for p in participants if p.status not in GONE]
    if still_here:
        await store.leave(tx, still_here, ParticipantStatus.LEFT, LeaveReason.CALL_ENDED, now)
    await store.change(tx, call.id, status=status, end_reason=reason, ended_at=now)
    completed = status is CallStatus.COMPLETED
    message = "Call ended" if completed else "Call failed"
    level = Level.INFO if completed else Level.WARNING
    event = written(call.id, Source.LIFECYCLE, message, now, level)
    await write(tx, event, *publishing(CallEnded(call.id, call.tenant_id, reason)))


def _never_came(participant: Participant, invited_before: datetime) -> bool:
    return (
        participant.transport is Transport.WEBRTC
        and participant.status is ParticipantStatus.JOINING
        and participant.created_at < invited_before
    )
