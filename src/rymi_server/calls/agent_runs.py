"""The agent processes that were sent into a call: one at a time, each a run, and how far each has been heard.

A run that no worker took is followed by another one for the same agent, and is nobody's then. Only the run that serves
is let in: who comes by another one is turned away.

A run that is replaced is lost, and so is one that was let go because people go on without an agent; what it still
reports is kept, and it is told to leave.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from rymi_server.calls.models import calls
from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import CallId, ParticipantId
from rymi_server.foundation.statements import Statement

# Who has said nothing for so long says nothing any more.
SILENT_AFTER = timedelta(seconds=10)

call_agents = sa.Table(
    "call_agents",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("participant_id", sa.Uuid(as_uuid=False)),
    sa.Column("dispatch_id", sa.Text),
    sa.Column("dispatched_at", sa.DateTime(timezone=True)),
    sa.Column("heard_at", sa.DateTime(timezone=True)),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("obeyed", sa.Integer, nullable=False),
    sa.Column("memory", JSONB),
    sa.Column("missed", sa.Boolean, nullable=False, server_default="false"),
    sa.Column("lost_at", sa.DateTime(timezone=True)),
    sa.Column("closed_at", sa.DateTime(timezone=True)),
    sa.Column("said_all_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class AgentRun:
    call_id: CallId
    run: str
    number: int
    participant_id: ParticipantId | None
    dispatch_id: str | None
    dispatched_at: datetime | None
    # When it last reported; None before its first word.
    heard_at: datetime | None
    # The last report that is kept, and the last order that was carried out.
    accepted: int
    obeyed: int
    memory: dict[str, Any] | None
    # People wait for it, and this is on record.
    missed: bool
    lost_at: datetime | None
    closed_at: datetime | None
    # Its last line is kept. Its recording may yet be on its way.
    said_all_at: datetime | None
    # When its agent was first wanted, by this run or by one that no worker took.
    created_at: datetime


_OF_CALL = Statement(
    sa.select(call_agents).where(call_agents.c.call_id == sa.bindparam("call")).order_by(call_agents.c.number)
)


async def of_call(tx: Transaction, call_id: CallId) -> list[AgentRun]:
    """Oldest first."""
    return [AgentRun(*row) for row in await _OF_CALL.all(tx, {"call": call_id})]


async def current(tx: Transaction, call_id: CallId) -> AgentRun | None:
    """The run that serves the call, or is on its way to it."""
    runs = [run for run in await of_call(tx, call_id) if run.lost_at is None and run.number > 0]
    return runs[-1] if runs else None


async def begin(
    tx: Transaction, call_id: CallId, number: int, participant_id: ParticipantId, now: datetime
) -> AgentRun:
    """A further agent. The call must be locked."""
    return await _begin(tx, call_id, number, participant_id=participant_id, missed=False, created_at=now)


async def begin_again(tx: Transaction, untaken: AgentRun, participant_id: ParticipantId) -> AgentRun:
    """A further run for an agent that no worker took: it has been missed for as long. The call must be locked."""
    return await _begin(
        tx,
        untaken.call_id,
        untaken.number + 1,
        participant_id=participant_id,
        missed=untaken.missed,
        created_at=untaken.created_at,
    )


async def _begin(tx: Transaction, call_id: CallId, number: int, **values: Any) -> AgentRun:
    obeyed = max((run.obeyed for run in await of_call(tx, call_id)), default=0)
    await tx.execute(
        call_agents.insert().values(
            call_id=call_id, run=str(number), number=number, accepted=-1, obeyed=obeyed, **values
        )
    )
    found = (await tx.execute(_one(call_id, str(number)))).one()
    return AgentRun(**found._mapping)


async def let_in(tx: Transaction, call_id: CallId, run: str, now: datetime) -> bool:
    """Whether the run may enter. It was heard of then, and is not given up as one that nobody took.

    One that nobody here has sent may, as it may report.
    """
    mine = (call_agents.c.call_id == call_id, call_agents.c.run == run)
    heard = call_agents.update().where(*mine, call_agents.c.lost_at.is_(None)).values(heard_at=now)
    if (await tx.execute(heard.returning(call_agents.c.run))).one_or_none() is not None:
        return True
    return (await tx.execute(_one(call_id, run))).one_or_none() is None


async def give_up_unheard(tx: Transaction, run: AgentRun, now: datetime) -> bool:
    """Whether it is lost by this, and was not heard of before. It is not let in from then on, and is nobody's."""
    mine = (call_agents.c.call_id == run.call_id, call_agents.c.run == run.run)
    unheard = (call_agents.c.heard_at.is_(None), call_agents.c.lost_at.is_(None))
    given_up = call_agents.update().where(*mine, *unheard).values(lost_at=now, participant_id=None)
    return (await tx.execute(given_up.returning(call_agents.c.run))).one_or_none() is not None


async def reporting(tx: Transaction, call_id: CallId, run: str, now: datetime) -> AgentRun:
    """The run that reports, which was heard now. One that nobody here has sent is taken as it comes (number 0)."""
    stranger = insert(call_agents).values(
        call_id=call_id, run=run, number=0, accepted=-1, obeyed=0, created_at=now, heard_at=now
    )
    heard = stranger.on_conflict_do_update(
        index_elements=[call_agents.c.call_id, call_agents.c.run], set_={"heard_at": now}
    ).returning(*call_agents.c)
    return AgentRun(**(await tx.execute(heard)).one()._mapping)


async def lock_unsent(tx: Transaction, run: AgentRun) -> bool:
    """Whether the run is still to be sent; only this transaction sends it then."""
    mine = (call_agents.c.call_id == run.call_id, call_agents.c.run == run.run)
    unsent = sa.select(call_agents.c.run).where(
        *mine, call_agents.c.dispatch_id.is_(None), call_agents.c.lost_at.is_(None)
    )
    return (await tx.execute(unsent.with_for_update())).one_or_none() is not None


async def change(tx: Transaction, run: AgentRun, **values: Any) -> None:
    mine = (call_agents.c.call_id == run.call_id, call_agents.c.run == run.run)
    await tx.execute(call_agents.update().where(*mine).values(**values))


async def worrying(tx: Transaction, heard_before: datetime, sent_before: datetime, limit: int) -> list[CallId]:
    """Live calls whose agent was not heard of since then, or was sent for before then and never heard of."""
    silent = sa.and_(call_agents.c.heard_at < heard_before, call_agents.c.closed_at.is_(None))
    missing = sa.and_(call_agents.c.heard_at.is_(None), call_agents.c.created_at < sent_before)
    found = (
        sa.select(call_agents.c.call_id)
        .join(calls, calls.c.id == call_agents.c.call_id)
        .where(calls.c.ended_at.is_(None), call_agents.c.lost_at.is_(None), sa.or_(silent, missing))
        .where(call_agents.c.number > 0)
        .limit(limit)
    )
    return list((await tx.execute(found)).scalars())


@dataclass(frozen=True, slots=True)
class Unheard:
    """A run that was sent and not heard of."""

    call_id: CallId
    run: str
    dispatch_id: str
    dispatched_at: datetime
    created_at: datetime


async def unheard(tx: Transaction, sent_before: datetime, limit: int) -> list[Unheard]:
    """Of live calls, those first that have waited for longest."""
    found = (
        sa.select(
            call_agents.c.call_id,
            call_agents.c.run,
            call_agents.c.dispatch_id,
            call_agents.c.dispatched_at,
            call_agents.c.created_at,
        )
        .join(calls, calls.c.id == call_agents.c.call_id)
        .where(calls.c.ended_at.is_(None), call_agents.c.lost_at.is_(None), call_agents.c.heard_at.is_(None))
        .where(call_agents.c.number > 0, call_agents.c.dispatch_id.is_not(None))
        .where(call_agents.c.dispatched_at < sent_before)
        .order_by(call_agents.c.dispatched_at)
        .limit(limit)
    )
    return [Unheard(*row) for row in await tx.execute(found)]


async def still_reporting(tx: Transaction, call_id: CallId, now: datetime) -> bool:
    """Whether an agent may yet tell more of the call, such as its last lines and where its recording lies.

    It ends with the run's own word (`Reports.closing`), or with its silence. Who works on what a call left behind
    waits for it.
    """
    return any(_may_tell_more(run, now) for run in await of_call(tx, call_id))


async def more_may_be_said(tx: Transaction, call_id: CallId, now: datetime) -> bool:
    """Whether lines of the call may yet come. Who tells of its end waits for it, so that they come before."""
    return any(run.said_all_at is None and _may_tell_more(run, now) for run in await of_call(tx, call_id))


def _may_tell_more(run: AgentRun, now: datetime) -> bool:
    return run.heard_at is not None and run.closed_at is None and run.heard_at > now - SILENT_AFTER


def _one(call_id: CallId, run: str) -> sa.Select[Any]:
    return sa.select(call_agents).where(call_agents.c.call_id == call_id, call_agents.c.run == run)
