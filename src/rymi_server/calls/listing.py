"""Calls by the page, newest first."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.calls import tally
from rymi_server.calls.models import (
    CallStatus,
    Role,
    Transport,
    call_participants,
    calls,
)
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Invalid
from rymi_server.foundation.ids import AgentId, CallId, TenantId, is_uuid
from rymi_server.foundation.pagination import Window

_SHOWN = (
    *("id", "agent_id", "status", "started_at", "ended_at", "created_at", "bill_duration", "total_cost"),
    *("metadata", "batch_id", "intelligence_status", "end_reason"),
)


# One array rather than a parameter for each call: the statement stays the same for every page.
_CALLS = sa.bindparam("calls", type_=ARRAY(sa.Uuid(as_uuid=False)))
_PEOPLE = (
    sa.select(call_participants.c.call_id, call_participants.c.identity, call_participants.c.transport)
    .where(call_participants.c.call_id == sa.func.any(_CALLS), call_participants.c.role != Role.AGENT)
    .order_by(call_participants.c.call_id, call_participants.c.id)
)


@dataclass(frozen=True, slots=True)
class Filter:
    status: CallStatus | None = None
    agent_id: AgentId | None = None
    batch_id: str | None = None


@dataclass(frozen=True, slots=True)
class ListedCall:
    """A call as a list shows it: with how many people it has and who the first of them is."""

    call: sa.Row[Any]
    participant_count: int
    primary_identity: str | None
    primary_transport: Transport | None


@dataclass(frozen=True, slots=True)
class Listing:
    calls: list[ListedCall]
    total: int
    next_cursor: CallId | None


async def page(tx: Transaction, tenant_id: TenantId, wanted: Filter, window: Window, cursor: str | None) -> Listing:
    """The calls after `cursor` (the id of the last call of the page before), or those in the window."""
    if cursor is not None and not is_uuid(cursor):
        raise Invalid("The cursor is not the id of a call.", where="cursor")
    query = sa.select(*(calls.c[name] for name in _SHOWN)).where(*_conditions(tenant_id, wanted))
    if cursor is not None:
        query = query.where(calls.c.id < cursor)
    query = query.order_by(calls.c.id.desc()).limit(window.limit + 1).offset(window.offset)
    rows = (await tx.execute(query)).all()
    shown = rows[: window.limit]
    return Listing(
        await _with_people(tx, list(shown)),
        await _total(tx, tenant_id, wanted),
        CallId(shown[-1].id) if len(rows) > window.limit else None,
    )


async def _total(tx: Transaction, tenant_id: TenantId, wanted: Filter) -> int:
    if wanted.batch_id is None:
        return await tally.total(tx, tenant_id, status=wanted.status, agent_id=wanted.agent_id)
    counted = sa.select(sa.func.count()).select_from(calls).where(*_conditions(tenant_id, wanted))
    return (await tx.execute(counted)).scalar_one()


def _conditions(tenant_id: TenantId, wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions = [calls.c.tenant_id == tenant_id]
    if wanted.status is not None:
        conditions.append(calls.c.status == wanted.status)
    if wanted.agent_id is not None:
        conditions.append(calls.c.agent_id == wanted.agent_id)
    if wanted.batch_id is not None:
        conditions.append(calls.c.batch_id == wanted.batch_id)
    return conditions


async def _with_people(tx: Transaction, rows: list[sa.Row[Any]]) -> list[ListedCall]:
    of_call: dict[str, list[sa.Row[*tuple[Any, ...]]]] = {}
    for person in await tx.execute(_PEOPLE, {"calls": [row.id for row in rows]}):
        of_call.setdefault(person.call_id, []).append(person)
    return [_listed(row, of_call.get(row.id, [])) for row in rows]


def _listed(row: sa.Row[Any], people: list[sa.Row[*tuple[Any, ...]]]) -> ListedCall:
    first = people[0] if people else None
    return ListedCall(
        row, len(people), first.identity if first else None, Transport(first.transport) if first else None
    )
