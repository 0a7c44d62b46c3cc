"""Legs in the database. The row is the truth about a leg; its job is only a reminder to look at it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rymi_server.calls.models import Direction
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, LegId
from rymi_server.foundation.rows import Rows
from rymi_server.telephony.models import Leg, LegStatus, telephony_legs

_OVER = (LegStatus.COMPLETED, LegStatus.FAILED)


def rows_of(legs: Sequence[Leg]) -> Rows:
    """Legs, to be written."""
    return Rows(
        telephony_legs,
        [
            {
                "id": leg.id,
                "call_id": leg.call_id,
                "participant_id": leg.participant_id,
                "tenant_id": leg.tenant_id,
                "direction": leg.direction,
                "status": leg.status,
                "from_number": leg.from_number,
                "to_number": leg.to_number,
                "created_at": leg.created_at,
            }
            for leg in legs
        ],
    )


async def get(tx: Transaction, leg_id: LegId) -> Leg:
    return _leg((await tx.execute(sa.select(telephony_legs).where(telephony_legs.c.id == leg_id))).one())


async def of_call(tx: Transaction, call_id: CallId) -> list[Leg]:
    mine = sa.select(telephony_legs).where(telephony_legs.c.call_id == call_id).order_by(telephony_legs.c.id)
    return [_leg(row) for row in await tx.execute(mine)]


async def claim(tx: Transaction, leg_id: LegId, now: datetime) -> bool:
    """Become the one that dials this leg. Only one caller is ever told yes."""
    claimed = await tx.execute(
        telephony_legs.update()
        .where(
            telephony_legs.c.id == leg_id,
            telephony_legs.c.status == LegStatus.QUEUED,
            telephony_legs.c.claimed_at.is_(None),
        )
        .values(claimed_at=now)
    )
    return claimed.rowcount == 1


async def placed(tx: Transaction, leg_id: LegId, provider: str, provider_call_id: str) -> None:
    await tx.execute(
        telephony_legs.update()
        .where(telephony_legs.c.id == leg_id)
        .values(provider=provider, provider_call_id=provider_call_id)
    )


async def fail(tx: Transaction, leg_id: LegId, reason: str, now: datetime) -> bool:
    """Whether the leg was still alive."""
    failed = await tx.execute(
        telephony_legs.update()
        .where(telephony_legs.c.id == leg_id, telephony_legs.c.status.not_in(_OVER))
        .values(status=LegStatus.FAILED, reason=reason, ended_at=now)
    )
    return failed.rowcount == 1


async def waiting_since(tx: Transaction, created_before: datetime, limit: int) -> list[Leg]:
    """Legs that nobody has claimed for a while, oldest first."""
    unclaimed = sa.select(telephony_legs).where(
        telephony_legs.c.status == LegStatus.QUEUED,
        telephony_legs.c.claimed_at.is_(None),
        telephony_legs.c.created_at < created_before,
    )
    return [_leg(row) for row in await tx.execute(unclaimed.order_by(telephony_legs.c.created_at).limit(limit))]


async def claimed_without_outcome(tx: Transaction, claimed_before: datetime, limit: int) -> list[Leg]:
    """Legs whose dialing began and of which nothing more is known."""
    unclear = sa.select(telephony_legs).where(
        telephony_legs.c.status == LegStatus.QUEUED,
        telephony_legs.c.provider_call_id.is_(None),
        telephony_legs.c.claimed_at < claimed_before,
    )
    return [_leg(row) for row in await tx.execute(unclear.order_by(telephony_legs.c.claimed_at).limit(limit))]


def _leg(row: sa.Row[Any]) -> Leg:
    values = dict(row._mapping)
    return Leg(**{**values, "direction": Direction(values["direction"]), "status": LegStatus(values["status"])})
