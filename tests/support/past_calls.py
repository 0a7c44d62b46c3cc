"""Calls of other days, written as they would stand in the database by now."""

from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.asking import Customer

from rymi_server.calls.models import calls
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, first_uuid_at
from rymi_server.intelligence.models import call_intelligence


async def past_call(
    database: Database,
    customer: Customer,
    agent_id: str,
    at: datetime,
    *,
    status: str = "completed",
    connected: float | None = None,
    bill_seconds: int | None = None,
    cost: str | None = None,
    sentiments: tuple[str | None, ...] = (),
) -> CallId:
    """A call made at `at` (no two of them in one millisecond), with one run of the analysis for each sentiment."""
    call_id = CallId(first_uuid_at(at))
    async with database.transaction() as tx:
        await tx.execute(
            calls.insert().values(
                id=call_id,
                tenant_id=customer.tenant.id,
                agent_id=agent_id,
                agent={},
                direction="outbound",
                status=status,
                metadata={},
                variables={},
                post_call={},
                rate_per_minute=Decimal("0.05"),
                bill_duration=bill_seconds,
                total_cost=Decimal(cost) if cost else None,
                intelligence_status="completed" if sentiments else "not_started",
                created_at=at,
                started_at=at if connected is not None else None,
                ended_at=at + timedelta(seconds=connected or 0) if status in ("completed", "failed") else None,
            )
        )
        for revision, sentiment in enumerate(sentiments, start=1):
            run = {"call_id": call_id, "revision": revision, "status": "completed", "sentiment": sentiment}
            await tx.execute(call_intelligence.insert().values(**run, created_at=at))
    return call_id
