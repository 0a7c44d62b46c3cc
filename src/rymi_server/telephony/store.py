"""Legs in the database. The row is the truth about a leg; its job is only a reminder to look at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rymi_server.calls.models import Call, CallStatus, Direction, calls
from rymi_server.calls.store import CALL_COLUMNS, call_from
from rymi_server.dnc.store import is_listed
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, LegId, TenantId
from rymi_server.foundation.rows import Rows
from rymi_server.foundation.statements import Statement, change_row
from rymi_server.telephony.calling_hours import HOURS_COLUMNS, CallingHours, hours_from
from rymi_server.telephony.models import Leg, LegStatus, calling_hours, telephony_legs

_legs = telephony_legs.c
_NAMES = [column.name for column in telephony_legs.columns]
_OVER = (LegStatus.COMPLETED, LegStatus.FAILED)
_BY_ID = sa.select(telephony_legs).where(_legs.id == sa.bindparam("leg"))
_FOUND, _LOCKED = Statement(_BY_ID), Statement(_BY_ID.with_for_update())
_OF_CALL = Statement(sa.select(telephony_legs).where(_legs.call_id == sa.bindparam("call")).order_by(_legs.id))
# PostgreSQL locks what it has found, and the leg is found with its call, which is locked by then.
_call = (
    sa.select(*CALL_COLUMNS)
    .where(calls.c.id == sa.select(_legs.call_id).where(_legs.id == sa.bindparam("leg")).scalar_subquery())
    .with_for_update()
    .cte("call")
)
_BOTH_LOCKED = Statement(
    sa.select(telephony_legs, *_call.c)
    .join(_call, _call.c.id == _legs.call_id)
    .where(_legs.id == sa.bindparam("leg"))
    .with_for_update(of=telephony_legs)
)
_WHETHER_TO_RING = Statement(
    sa.select(is_listed(_legs.tenant_id, _legs.to_number), *HOURS_COLUMNS)
    .select_from(telephony_legs)
    .outerjoin(calling_hours, calling_hours.c.tenant_id == _legs.tenant_id)
    .where(_legs.id == sa.bindparam("leg"))
)
_LEG_ENDS = len(_NAMES)
_STILL_WAITS = Statement(
    sa.select(
        sa.exists().where(
            _legs.id == sa.bindparam("leg"),
            _legs.status == LegStatus.QUEUED,
            _legs.claimed_at.is_(None),
            calls.c.id == _legs.call_id,
            calls.c.ended_at.is_(None),
        )
    )
)
_CLAIM = Statement(
    telephony_legs.update()
    .where(_legs.id == sa.bindparam("leg"), _legs.status == LegStatus.QUEUED, _legs.claimed_at.is_(None))
    .values({name: sa.bindparam(f"to_{name}") for name in ("claimed_at", "provider", "connection_id", "account")})
)
_PLACED = Statement(
    telephony_legs.update()
    .where(_legs.id == sa.bindparam("leg"))
    .values(
        provider=sa.bindparam("to_provider"),
        provider_call_id=sa.func.coalesce(_legs.provider_call_id, sa.bindparam("called", type_=sa.Text)),
    )
)


@dataclass(frozen=True, slots=True)
class WhetherToRing:
    """What its tenant says about a number."""

    is_listed: bool
    # None where the tenant calls at any hour.
    hours: CallingHours | None


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
    return _leg(await _FOUND.one(tx, {"leg": leg_id}))


async def find(tx: Transaction, leg_id: LegId) -> Leg | None:
    row = await _FOUND.one_or_none(tx, {"leg": leg_id})
    return _leg(row) if row is not None else None


async def lock(tx: Transaction, leg_id: LegId) -> Leg | None:
    """The leg, held until the transaction ends. Whoever needs its call locks that first."""
    row = await _LOCKED.one_or_none(tx, {"leg": leg_id})
    return _leg(row) if row is not None else None


async def still_waits(tx: Transaction, leg_id: LegId) -> bool:
    """Whether the leg is still to be dialed, as far as a look without a lock can tell."""
    return bool((await _STILL_WAITS.one(tx, {"leg": leg_id}))[0])


async def lock_with_call(tx: Transaction, leg_id: LegId) -> tuple[Call, Leg] | None:
    """The leg's call and the leg, both held until the transaction ends, the call first."""
    row = await _BOTH_LOCKED.one_or_none(tx, {"leg": leg_id})
    return None if row is None else (call_from(row[_LEG_ENDS:]), _leg(row[:_LEG_ENDS]))


async def whether_to_ring(tx: Transaction, leg_id: LegId) -> WhetherToRing:
    """What decides whether and when the leg's number may be rung.

    To be asked once the leg is locked: a statement that waits for a lock sees the lists as they were before it waited.
    """
    listed, *hours = await _WHETHER_TO_RING.one(tx, {"leg": leg_id})
    return WhetherToRing(listed, hours_from(hours))


async def of_call(tx: Transaction, call_id: CallId) -> list[Leg]:
    return [_leg(row) for row in await _OF_CALL.all(tx, {"call": call_id})]


async def at_carrier(tx: Transaction, provider: str, provider_call_id: str) -> Leg | None:
    """The leg of a call that the carrier names."""
    named = sa.select(telephony_legs).where(_legs.provider == provider, _legs.provider_call_id == provider_call_id)
    row = (await tx.execute(named)).one_or_none()
    return _leg(row) if row is not None else None


async def running_at_carrier(tx: Transaction, account: str) -> frozenset[str]:
    """The carrier's names of all calls of an account that have a leg here and are not over."""
    running = sa.select(_legs.provider_call_id).where(
        _legs.account == account, _legs.ended_at.is_(None), _legs.provider_call_id.is_not(None)
    )
    return frozenset((await tx.execute(running)).scalars())


async def known_at_carrier(tx: Transaction, provider: str, provider_call_ids: Sequence[str]) -> set[str]:
    """Those of the carrier's calls that are a leg's already."""
    known = sa.select(_legs.provider_call_id).where(
        _legs.provider == provider, _legs.provider_call_id.in_(provider_call_ids)
    )
    return {str(each) for each in (await tx.execute(known)).scalars()}


async def change(tx: Transaction, leg_id: LegId, **values: Any) -> None:
    await change_row(tx, telephony_legs, leg_id, values)


async def claim(
    tx: Transaction, leg_id: LegId, now: datetime, *, provider: str, connection_id: str, account: str
) -> bool:
    """Become the one that dials this leg. Only one caller is ever told yes."""
    through = {"to_provider": provider, "to_connection_id": connection_id, "to_account": account}
    return await _CLAIM.run(tx, {"leg": leg_id, "to_claimed_at": now, **through}) == 1


async def let_go(tx: Transaction, leg_id: LegId, held_until: datetime, attempts: int) -> None:
    """Nothing rang, so somebody may claim the leg again, after a while."""
    await tx.execute(
        telephony_legs.update()
        .where(_legs.id == leg_id, _legs.status == LegStatus.QUEUED, _legs.provider_call_id.is_(None))
        .values(claimed_at=None, dial_at=None, held_until=held_until, attempts=attempts)
    )


async def placed(tx: Transaction, leg_id: LegId, provider: str, provider_call_id: str) -> None:
    """The carrier took the call. A callback may have been quicker to tell its name, which then stays."""
    await _PLACED.run(tx, {"leg": leg_id, "to_provider": provider, "called": provider_call_id})


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


async def somebody_is_awaited(tx: Transaction, tenant_id: TenantId, now: datetime) -> bool:
    """Whether a leg of a call that people are in could be dialed, and stands in no line."""
    waits = sa.select(sa.literal(1)).where(
        _legs.tenant_id == tenant_id,
        _legs.status == LegStatus.QUEUED,
        _legs.claimed_at.is_(None),
        _legs.dial_at.is_(None),
        sa.or_(_legs.held_until.is_(None), _legs.held_until <= now),
        calls.c.id == _legs.call_id,
        calls.c.status == CallStatus.IN_PROGRESS,
    )
    return (await tx.execute(waits.limit(1))).scalar_one_or_none() is not None


async def live_on_connection(tx: Transaction, connection_id: str) -> bool:
    live = sa.select(sa.literal(1)).where(_legs.connection_id == connection_id, _legs.ended_at.is_(None)).limit(1)
    return (await tx.execute(live)).scalar_one_or_none() is not None


async def waiting_since(tx: Transaction, created_before: datetime, limit: int) -> list[Leg]:
    """Legs that nobody has claimed for a while, oldest first."""
    unclaimed = sa.select(telephony_legs).where(
        _legs.status == LegStatus.QUEUED, _legs.claimed_at.is_(None), _legs.created_at < created_before
    )
    return [_leg(row) for row in await tx.execute(unclaimed.order_by(_legs.created_at).limit(limit))]


async def claimed_without_outcome(tx: Transaction, claimed_before: datetime, each: int) -> list[Leg]:
    """Legs whose dialing began and of which nothing more is known; `each` of a connection at most."""
    unclear = sa.and_(
        _legs.status == LegStatus.QUEUED, _legs.provider_call_id.is_(None), _legs.claimed_at < claimed_before
    )
    return await _of_each_connection(tx, unclear, _legs.claimed_at, each)


async def quiet(
    tx: Transaction,
    now: datetime,
    *,
    unanswered: timedelta,
    answered: timedelta,
    silent: timedelta,
    unbridged: timedelta,
    each: int,
) -> list[Leg]:
    """Live legs of which the carrier has said nothing for too long: while they ring, while people talk, and after
    their audio has stopped. And answered ones whose audio has not come. `each` of a connection at most."""
    last = sa.func.coalesce(_legs.heard_at, _legs.claimed_at, _legs.created_at)
    rings = sa.and_(_legs.status.in_((LegStatus.QUEUED, LegStatus.RINGING)), last < now - unanswered)
    talks = sa.and_(_legs.status == LegStatus.IN_PROGRESS, last < now - answered)
    stopped = sa.and_(_legs.media_ended_at < now - silent, last < now - silent)
    in_vain = sa.and_(
        _legs.status == LegStatus.IN_PROGRESS,
        _legs.bridged_at.is_(None),
        _legs.transferred_to.is_(None),
        sa.func.greatest(_legs.answered_at, _legs.media_offered_at) < now - unbridged,
    )
    due = sa.or_(rings, talks, stopped, in_vain)
    found = sa.and_(_legs.ended_at.is_(None), _legs.provider_call_id.is_not(None), due)
    return await _of_each_connection(tx, found, last, each)


async def unpriced(tx: Transaction, now: datetime, first: timedelta, last: timedelta, each: int) -> list[Leg]:
    """Legs that were talked on and whose price has to be asked for: a while after the end, and once more. `each` of a
    connection at most."""
    young = sa.and_(_legs.price_looks == 0, _legs.ended_at < now - first)
    old = sa.and_(_legs.price_looks == 1, _legs.ended_at < now - last)
    found = sa.and_(_legs.cost.is_(None), _legs.bill_duration > 0, sa.or_(young, old))
    return await _of_each_connection(tx, found, _legs.ended_at, each)


async def _of_each_connection(
    tx: Transaction, which: sa.ColumnElement[bool], since: sa.ColumnElement[datetime], each: int
) -> list[Leg]:
    """The first that are found, first. However many a connection has, it leaves those of another one in."""
    turn = sa.func.row_number().over(partition_by=_legs.connection_id, order_by=since)
    found = sa.select(telephony_legs, since.label("since"), turn.label("turn")).where(which).subquery()
    chosen = sa.select(*(found.c[name] for name in _NAMES)).where(found.c.turn <= each).order_by(found.c.since)
    return [_leg(row) for row in await tx.execute(chosen)]


def _leg(row: Sequence[Any]) -> Leg:
    values = dict(zip(_NAMES, row, strict=True))
    return Leg(**{**values, "direction": Direction(values["direction"]), "status": LegStatus(values["status"])})
