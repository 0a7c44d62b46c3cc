"""Calls and participants in the database: written, found, locked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.calls.errors import UnknownCall
from rymi_server.calls.lifecycle import LIVE
from rymi_server.calls.models import (
    Call,
    CallStatus,
    Direction,
    IntelligenceStatus,
    NewCall,
    Participant,
    ParticipantStatus,
    Role,
    Transport,
    call_participants,
    calls,
)
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId, is_uuid
from rymi_server.foundation.rows import Rows, write
from rymi_server.foundation.statements import Statement, change_row

CALL_COLUMNS = [column for column in calls.c if column.name != "agent"]
_CALL_NAMES = [column.name for column in CALL_COLUMNS]
_PARTICIPANT_NAMES = [column.name for column in call_participants.columns]
_BY_ID = sa.select(*CALL_COLUMNS).where(calls.c.id == sa.bindparam("id"), calls.c.tenant_id == sa.bindparam("tenant"))
_FOUND, _LOCKED = Statement(_BY_ID), Statement(_BY_ID.with_for_update())
_LOCKED_BY_ROOM = Statement(sa.select(*CALL_COLUMNS).where(calls.c.id == sa.bindparam("id")).with_for_update())
_PARTICIPANTS = Statement(
    sa.select(call_participants)
    .where(call_participants.c.call_id == sa.bindparam("call"))
    .order_by(call_participants.c.id)
)
_LEAVE = Statement(
    call_participants.update()
    .where(call_participants.c.id == sa.any_(sa.bindparam("people", type_=ARRAY(call_participants.c.id.type))))
    .values(
        status=sa.bindparam("to_status"), leave_reason=sa.bindparam("to_reason"), left_at=sa.bindparam("to_left_at")
    )
)


def rows_of(new: Sequence[NewCall]) -> tuple[Rows, Rows]:
    """Calls with their participants, to be written."""
    people = [participant for each in new for participant in each.participants]
    return Rows(calls, [_call_row(each) for each in new]), participant_rows(people)


def participant_rows(participants: Sequence[Participant]) -> Rows:
    return Rows(call_participants, [_participant_row(participant) for participant in participants])


async def get(tx: Transaction, tenant_id: TenantId, call_id: str) -> Call:
    return await _one(tx, _FOUND, tenant_id, call_id)


async def lock(tx: Transaction, tenant_id: TenantId, call_id: str) -> Call:
    """As `get`, and only this transaction changes the call until it ends. Lock a call before its participants."""
    return await _one(tx, _LOCKED, tenant_id, call_id)


async def lock_by_room(tx: Transaction, call_id: CallId) -> Call | None:
    """As `lock`, for those who know a call by its room and no tenant: LiveKit, and our own sweeps."""
    row = await _LOCKED_BY_ROOM.one_or_none(tx, {"id": call_id})
    return call_from(row) if row else None


async def frozen_agent(tx: Transaction, call_id: CallId) -> dict[str, Any]:
    agent: dict[str, Any] = (await tx.execute(sa.select(calls.c.agent).where(calls.c.id == call_id))).scalar_one()
    return agent


async def participants_of(tx: Transaction, call_id: CallId) -> list[Participant]:
    """In the order in which they were added."""
    return [_participant_from(row) for row in await _PARTICIPANTS.all(tx, {"call": call_id})]


async def change(tx: Transaction, call_id: CallId, **values: Any) -> None:
    await change_row(tx, calls, call_id, values)


async def join(tx: Transaction, participant: ParticipantId, joined_at: datetime) -> None:
    """Somebody is in, perhaps again: then since the first time."""
    values = {"status": ParticipantStatus.ACTIVE, "joined_at": joined_at, "left_at": None, "leave_reason": None}
    await change_row(tx, call_participants, participant, values)


async def put_in_place_of(tx: Transaction, absent: Participant, participant: Participant) -> None:
    """Forget one who was never there, and have another one instead."""
    await tx.execute(call_participants.delete().where(call_participants.c.id == absent.id))
    await write(tx, participant_rows([participant]))


async def ring(tx: Transaction, participant: ParticipantId) -> None:
    """A phone that waited to be dialed is ringing now."""
    await tx.execute(
        call_participants.update()
        .where(call_participants.c.id == participant, call_participants.c.status == ParticipantStatus.QUEUED)
        .values(status=ParticipantStatus.JOINING)
    )


async def leave(
    tx: Transaction, participants: Sequence[ParticipantId], status: ParticipantStatus, reason: str, now: datetime
) -> None:
    """Mark participants as gone."""
    gone = {"people": list(participants), "to_status": status, "to_reason": reason, "to_left_at": now}
    await _LEAVE.run(tx, gone)


async def calls_with_late_joiners(tx: Transaction, created_before: datetime, limit: int) -> list[Call]:
    """Live calls with a browser that was invited before then and has not come."""
    late = (
        sa.select(call_participants.c.call_id)
        .where(
            call_participants.c.status == ParticipantStatus.JOINING,
            call_participants.c.transport == Transport.WEBRTC,
            call_participants.c.created_at < created_before,
        )
        .limit(limit)
    )
    found = sa.select(*CALL_COLUMNS).where(calls.c.id.in_(late), calls.c.status.in_(LIVE))
    return [call_from(row) for row in await tx.execute(found)]


async def _one(tx: Transaction, query: Statement, tenant_id: TenantId, call_id: str) -> Call:
    row = None
    if is_uuid(call_id):
        row = await query.one_or_none(tx, {"id": call_id, "tenant": tenant_id})
    if row is None:
        raise UnknownCall
    return call_from(row)


def call_from(row: Sequence[Any]) -> Call:
    """The columns `CALL_COLUMNS`, in their order."""
    values = dict(zip(_CALL_NAMES, row, strict=True))
    return Call(
        **{
            **values,
            "direction": Direction(values["direction"]),
            "status": CallStatus(values["status"]),
            "intelligence_status": IntelligenceStatus(values["intelligence_status"]),
        }
    )


def _participant_from(row: Sequence[Any]) -> Participant:
    values = dict(zip(_PARTICIPANT_NAMES, row, strict=True))
    return Participant(
        **{
            **values,
            "role": Role(values["role"]),
            "transport": Transport(values["transport"]),
            "status": ParticipantStatus(values["status"]),
        }
    )


def _call_row(new: NewCall) -> dict[str, Any]:
    call = new.call
    return {
        "id": call.id,
        "tenant_id": call.tenant_id,
        "agent_id": call.agent_id,
        "agent": new.agent,
        "direction": call.direction,
        "status": call.status,
        "metadata": call.metadata,
        "variables": call.variables,
        "post_call": call.post_call,
        "batch_id": call.batch_id,
        "rate_per_minute": call.rate_per_minute,
        "created_at": call.created_at,
    }


def _participant_row(participant: Participant) -> dict[str, Any]:
    return {
        "id": participant.id,
        "call_id": participant.call_id,
        "tenant_id": participant.tenant_id,
        "role": participant.role,
        "transport": participant.transport,
        "identity": participant.identity,
        "status": participant.status,
        "metadata": participant.metadata,
        "created_at": participant.created_at,
    }
