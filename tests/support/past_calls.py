"""Calls of other days, written as they would stand in the database by now."""

import secrets
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.support.asking import Customer

from rymi_server.calls.models import call_participants, calls
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, first_uuid_at, new_prefixed, new_uuid
from rymi_server.intelligence.models import call_intelligence
from rymi_server.telephony.models import telephony_legs


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


async def past_leg(
    database: Database, customer: Customer, call_id: CallId, seconds: int, cost: str | None, currency: str | None
) -> None:
    """A phone leg of it that is over, and what its carrier charges."""
    person, number, now = new_uuid(), f"+1202555{secrets.randbelow(10_000):04}", datetime.now(UTC)
    shared = {"call_id": call_id, "tenant_id": customer.tenant.id, "created_at": now}
    async with database.transaction() as tx:
        await tx.execute(
            call_participants.insert().values(
                **shared, id=person, role="callee", transport="pstn", identity=number, status="left", metadata={}
            )
        )
        await tx.execute(
            telephony_legs.insert().values(
                id=new_prefixed("leg"),
                **shared,
                participant_id=person,
                provider="twilio",
                direction="outbound",
                status="completed",
                to_number=number,
                bill_duration=seconds,
                cost=Decimal(cost) if cost else None,
                cost_currency=currency,
            )
        )
