"""What is wanted of a running agent. An order is told until the agent says that it was carried out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import CallId

_STALE_AFTER = timedelta(minutes=10)

agent_orders = sa.Table(
    "agent_orders",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("participant_id", sa.Uuid(as_uuid=False)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class AgentOrder:
    number: int
    kind: str
    text: str
    reason: str
    participant_id: str | None
    created_at: datetime


async def give(
    tx: Transaction,
    call_id: CallId,
    kind: str,
    now: datetime,
    *,
    text: str = "",
    reason: str = "",
    participant_id: str | None = None,
) -> int:
    """Give an order (its kinds: `runtime.reports.Order`) and return its number. The call must be locked."""
    last = sa.select(sa.func.coalesce(sa.func.max(agent_orders.c.number), 0)).where(agent_orders.c.call_id == call_id)
    number: int = (await tx.execute(last)).scalar_one() + 1
    await tx.execute(
        agent_orders.insert().values(
            call_id=call_id,
            number=number,
            kind=kind,
            text=text,
            reason=reason,
            participant_id=participant_id,
            created_at=now,
        )
    )
    return number


async def given(tx: Transaction, call_id: CallId, reason: str) -> AgentOrder | None:
    """The first order that was given for `reason`."""
    mine = (agent_orders.c.call_id == call_id, agent_orders.c.reason == reason)
    found = sa.select(*_COLUMNS).where(*mine).order_by(agent_orders.c.number).limit(1)
    row = (await tx.execute(found)).one_or_none()
    return AgentOrder(*row) if row else None


async def last_of(tx: Transaction, call_id: CallId, *kinds: str) -> AgentOrder | None:
    """The last order of these kinds that was given."""
    mine = (agent_orders.c.call_id == call_id, agent_orders.c.kind.in_(kinds))
    found = sa.select(*_COLUMNS).where(*mine).order_by(agent_orders.c.number.desc()).limit(1)
    row = (await tx.execute(found)).one_or_none()
    return AgentOrder(*row) if row else None


async def outstanding(tx: Transaction, call_id: CallId, obeyed: int, now: datetime) -> list[AgentOrder]:
    """Orders after `obeyed`. One that is too old to make sense is told no more."""
    wanted = sa.select(*_COLUMNS).where(
        agent_orders.c.call_id == call_id,
        agent_orders.c.number > obeyed,
        agent_orders.c.created_at > now - _STALE_AFTER,
    )
    return [AgentOrder(*row) for row in await tx.execute(wanted.order_by(agent_orders.c.number))]


_COLUMNS = [agent_orders.c[name] for name in ("number", "kind", "text", "reason", "participant_id", "created_at")]
