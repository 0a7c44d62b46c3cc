"""How an account has used its calls of late: what its balance page tells beside the money."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from rymi_server.agents.models import agents
from rymi_server.calls.models import IntelligenceStatus, calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, first_uuid_at

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RecentUse:
    first_call_at: datetime | None
    # Calls of the last thirty days by the role of their agent.
    calls_by_role: dict[str, int]
    analysed_calls: int

    @property
    def primary_role(self) -> str | None:
        """The role of more than half of the recent calls."""
        total = sum(self.calls_by_role.values())
        return next((role for role, count in self.calls_by_role.items() if 2 * count > total), None)


async def recent_use(tx: Transaction, tenant_id: TenantId, now: datetime) -> RecentUse:
    mine = calls.c.tenant_id == tenant_id
    first = sa.select(calls.c.created_at).where(mine).order_by(calls.c.id).limit(1)
    analysed = sa.func.count().filter(calls.c.intelligence_status == IntelligenceStatus.COMPLETED)
    by_role = (
        sa.select(agents.c.agent_role, sa.func.count(), analysed)
        .join_from(calls, agents, agents.c.id == calls.c.agent_id)
        .where(mine, calls.c.id >= first_uuid_at(now - RECENT))
        .group_by(agents.c.agent_role)
    )
    first_call_at = (await tx.execute(first)).scalar_one_or_none()
    rows = (await tx.execute(by_role)).all()
    return RecentUse(first_call_at, {role: count for role, count, _ in rows}, sum(count for _, _, count in rows))
