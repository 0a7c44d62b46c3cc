"""How many calls there are, without counting them.

Triggers append every change to `call_tally`; a total is the sum of a tenant's few rows there.
"""

import sqlalchemy as sa

from rymi_server.calls.lifecycle import LIVE
from rymi_server.calls.models import CallStatus
from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import AgentId, TenantId

call_tally = sa.Table(
    "call_tally",
    metadata,
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("agent_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
)

# Only one runs at a time; what is appended meanwhile is folded the next time.
_FOLD = sa.text("""
    with gone as (delete from call_tally returning tenant_id, agent_id, status, change)
    insert into call_tally
    select tenant_id, agent_id, status, sum(change) from gone group by 1, 2, 3 having sum(change) <> 0
""")
_FOLDING = sa.text("select pg_try_advisory_xact_lock(hashtextextended('fold-call-tally', 0))")


async def total(
    tx: Transaction, tenant_id: TenantId, *, status: CallStatus | None = None, agent_id: AgentId | None = None
) -> int:
    counted = sa.select(sa.func.coalesce(sa.func.sum(call_tally.c.change), 0)).where(
        call_tally.c.tenant_id == tenant_id
    )
    if status is not None:
        counted = counted.where(call_tally.c.status == status)
    if agent_id is not None:
        counted = counted.where(call_tally.c.agent_id == agent_id)
    return int((await tx.execute(counted)).scalar_one())


async def live(tx: Transaction) -> int:
    """The calls that are not over, of all tenants: for metrics."""
    counted = sa.select(sa.func.coalesce(sa.func.sum(call_tally.c.change), 0)).where(call_tally.c.status.in_(LIVE))
    return int((await tx.execute(counted)).scalar_one())


async def fold(tx: Transaction) -> None:
    """Add up what was appended since the last time."""
    if (await tx.execute(_FOLDING)).scalar_one():
        await tx.execute(_FOLD)
