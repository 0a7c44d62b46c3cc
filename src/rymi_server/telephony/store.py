"""Legs in the database. The row is the truth about a leg; its job is only a reminder to look at it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rymi_server.calls.models import Direction
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, LegId
from rymi_server.foundation.rows import Rows
from rymi_server.telephony.models import Leg, LegStatus, telephony_legs

_legs = telephony_legs.c
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
                "provider": leg.provider,
                "provider_call_id": leg.provider_call_id,
                "direction": leg.direction,
                "status": leg.status,
                "from_number": leg.from_number,
                "to_number": leg.to_number,
                "claimed_at": leg.claimed_at,
                "created_at": leg.created_at,
                "connection_id": leg.connection_id,
                "account": leg.account,
                "region_url": leg.region_url,
                "heard_at": leg.heard_at,
            }
            for leg in legs
        ],
    )


async def get(tx: Transaction, leg_id: LegId) -> Leg:
    return _leg((await tx.execute(sa.select(telephony_legs).where(_legs.id == leg_id))).one())


async def find(tx: Transaction, leg_id: LegId) -> Leg | None:
    row = (await tx.execute(sa.select(telephony_legs).where(_legs.id == leg_id))).one_or_none()
    return _leg(row) if row is not None else None


async def lock(tx: Transaction, leg_id: LegId) -> Leg | None:
    """The leg, held until the transaction ends. Whoever needs its call locks that first."""
    row = (await tx.execute(sa.select(telephony_legs).where(_legs.id == leg_id).with_for_update())).one_or_none()
    return _leg(row) if row is not None else None


async def of_call(tx: Transaction, call_id: CallId) -> list[Leg]:
    mine = sa.select(telephony_legs).where(_legs.call_id == call_id).order_by(_legs.id)
    return [_leg(row) for row in await tx.execute(mine)]


async def at_carrier(tx: Transaction, provider: str, provider_call_id: str) -> Leg | None:
    """The leg of a call that the carrier names."""
    named = sa.select(telephony_legs).where(_legs.provider == provider, _legs.provider_call_id == provider_call_id)
    row = (await tx.execute(named)).one_or_none()
    return _leg(row) if row is not None else None


async def known_at_carrier(tx: Transaction, provider: str, provider_call_ids: Sequence[str]) -> set[str]:
    """Those of the carrier's calls that are a leg's already."""
    known = sa.select(_legs.provider_call_id).where(
        _legs.provider == provider, _legs.provider_call_id.in_(provider_call_ids)
    )
    return {str(each) for each in (await tx.execute(known)).scalars()}


async def change(tx: Transaction, leg_id: LegId, **values: Any) -> None:
    await tx.execute(telephony_legs.update().where(_legs.id == leg_id).values(**values))


async def claim(tx: Transaction, leg_id: LegId, now: datetime, **values: Any) -> bool:
    """Become the one that dials this leg. Only one caller is ever told yes."""
    claimed = await tx.execute(
        telephony_legs.update()
        .where(_legs.id == leg_id, _legs.status == LegStatus.QUEUED, _legs.claimed_at.is_(None))
        .values(claimed_at=now, **values)
    )
    return claimed.rowcount == 1


async def let_go(tx: Transaction, leg_id: LegId, held_until: datetime, attempts: int) -> None:
    """Nothing rang, so somebody may claim the leg again, after a while."""
    await tx.execute(
        telephony_legs.update()
        .where(_legs.id == leg_id, _legs.status == LegStatus.QUEUED, _legs.provider_call_id.is_(None))
        .values(claimed_at=None, dial_at=None, held_until=held_until, attempts=attempts)
    )


async def placed(tx: Transaction, leg_id: LegId, provider: str, provider_call_id: str) -> None:
    """The carrier took the call. A callback may have been quicker to tell its name, which then stays."""
    await tx.execute(
        telephony_legs.update()
        .where(_legs.id == leg_id)
        .values(provider=provider, provider_call_id=sa.func.coalesce(_legs.provider_call_id, provider_call_id))
    )


async def fail(tx: Transaction, leg_id: LegId, reason: str, now: datetime, cause: str | None = None) -> bool:
    """Whether the leg was still alive."""
    failed = await tx.execute(
        telephony_legs.update()
        .where(_legs.id == leg_id, _legs.status.not_in(_OVER))
        .values(status=LegStatus.FAILED, reason=reason, cause=sa.func.coalesce(_legs.cause, cause), ended_at=now)
    )
    return failed.rowcount == 1


async def live_on_account(tx: Transaction, account: str) -> int:
    """Legs that the carrier is busy with, or may be."""
    live = sa.select(sa.func.count()).select_from(telephony_legs)
    live = live.where(_legs.account == account, _legs.ended_at.is_(None), _legs.claimed_at.is_not(None))
    return (await tx.execute(live)).scalar_one()


async def live_on_connection(tx: Transaction, connection_id: str) -> bool:
    live = sa.select(sa.literal(1)).where(_legs.connection_id == connection_id, _legs.ended_at.is_(None)).limit(1)
    return (await tx.execute(live)).scalar_one_or_none() is not None


async def waiting_since(tx: Transaction, created_before: datetime, limit: int) -> list[Leg]:
    """Legs that nobody has claimed for a while, oldest first."""
    unclaimed = sa.select(telephony_legs).where(
        _legs.status == LegStatus.QUEUED, _legs.claimed_at.is_(None), _legs.created_at < created_before
    )
    return [_leg(row) for row in await tx.execute(unclaimed.order_by(_legs.created_at).limit(limit))]


async def claimed_without_outcome(tx: Transaction, claimed_before: datetime, limit: int) -> list[Leg]:
    """Legs whose dialing began and of which nothing more is known."""
    unclear = sa.select(telephony_legs).where(
        _legs.status == LegStatus.QUEUED, _legs.provider_call_id.is_(None), _legs.claimed_at < claimed_before
    )
    return [_leg(row) for row in await tx.execute(unclear.order_by(_legs.claimed_at).limit(limit))]


async def quiet(
    tx: Transaction, now: datetime, *, unanswered: timedelta, answered: timedelta, silent: timedelta, limit: int
) -> list[Leg]:
    """Live legs of which the carrier has said nothing for too long: while they ring, while people talk, and after
    their audio has stopped."""
    last = sa.func.coalesce(_legs.heard_at, _legs.claimed_at, _legs.created_at)
    rings = sa.and_(_legs.status.in_((LegStatus.QUEUED, LegStatus.RINGING)), last < now - unanswered)
    talks = sa.and_(_legs.status == LegStatus.IN_PROGRESS, last < now - answered)
    stopped = sa.and_(_legs.media_ended_at < now - silent, last < now - silent)
    found = (
        sa.select(telephony_legs)
        .where(_legs.ended_at.is_(None), _legs.provider_call_id.is_not(None), sa.or_(rings, talks, stopped))
        .order_by(last)
        .limit(limit)
    )
    return [_leg(row) for row in await tx.execute(found)]


async def unpriced(tx: Transaction, now: datetime, first: timedelta, last: timedelta, limit: int) -> list[Leg]:
    """Legs that were talked on and whose price has to be asked for: a while after the end, and once more."""
    young = sa.and_(_legs.price_looks == 0, _legs.ended_at < now - first)
    old = sa.and_(_legs.price_looks == 1, _legs.ended_at < now - last)
    found = sa.select(telephony_legs).where(_legs.cost.is_(None), _legs.bill_duration > 0, sa.or_(young, old))
    return [_leg(row) for row in await tx.execute(found.order_by(_legs.ended_at).limit(limit))]


def _leg(row: sa.Row[Any]) -> Leg:
    values = dict(row._mapping)
    return Leg(**{**values, "direction": Direction(values["direction"]), "status": LegStatus(values["status"])})
