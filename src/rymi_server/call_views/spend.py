"""What calls came to in a span of days: how many, how long, how good, at what cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from rymi_server.call_views.shapes import amount
from rymi_server.calls.models import CallStatus, IntelligenceStatus, calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, first_uuid_at
from rymi_server.intelligence.models import call_intelligence
from rymi_server.telephony.models import telephony_legs

_DAY = timedelta(days=1)
_SENTIMENTS = ("positive", "neutral", "negative", "unknown")
# Where calls end, by how long people were connected: below so many seconds.
_BUCKETS = ((30, "<30s"), (60, "30-60s"), (180, "1-3m"), (300, "3-5m"), (None, ">5m"))
_MOST_AGENTS = 200


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days, in UTC, the last one included."""

    first: date
    last: date

    def days(self) -> Iterable[date]:
        return (self.first + n * _DAY for n in range((self.last - self.first).days + 1))

    def within(self, day: date) -> date:
        """A call has its id a moment after its time; around midnight that is the next day."""
        return min(max(day, self.first), self.last)


@dataclass(frozen=True, slots=True)
class _Sum:
    calls: int
    bill_seconds: int
    cost: Decimal
    connected: int
    connected_seconds: Decimal

    def __add__(self, other: "_Sum") -> "_Sum":
        return _Sum(
            self.calls + other.calls,
            self.bill_seconds + other.bill_seconds,
            self.cost + other.cost,
            self.connected + other.connected,
            self.connected_seconds + other.connected_seconds,
        )


_NOTHING = _Sum(0, 0, Decimal(0), 0, Decimal(0))


async def spend(
    tx: Transaction, tenant_id: TenantId, span: Span, agent_id: str | None, status: CallStatus | None
) -> dict[str, Any]:
    within = _within(tenant_id, span, agent_id, status)
    rows = (await tx.execute(_grouped(_each_call(within)))).all()
    by = {
        name: {row._mapping[name]: _sum(row) for row in rows if row.grouped_by == mask} for name, mask in _MASKS.items()
    }
    total = next((_sum(row) for row in rows if row.grouped_by == _TOTAL), _NOTHING)
    counts = {name: {key: each.calls for key, each in sums.items()} for name, sums in by.items()}
    completed, failed = (counts["status"].get(each, 0) for each in (CallStatus.COMPLETED, CallStatus.FAILED))
    return {
        "total_calls": total.calls,
        "completed_calls": completed,
        "in_progress_calls": counts["status"].get(CallStatus.IN_PROGRESS, 0),
        "average_duration_seconds": round(float(total.connected_seconds) / (total.connected or 1), 1),
        "success_rate": round(completed / ((completed + failed) or 1), 4),
        "telecom_costs": await _telecom_costs(tx, within),
        "total_spent": amount(total.cost),
        "time_series": _by_day(by["day"], span),
        "status_distribution": {each: counts["status"].get(each, 0) for each in CallStatus},
        "sentiment_distribution": {each: counts["sentiment"].get(each, 0) for each in _SENTIMENTS},
        "agent_performance": _by_agent(by["agent_id"]),
        "drop_off_points": [{"bucket": name, "count": counts["bucket"].get(name, 0)} for _, name in _BUCKETS],
        "filters": {
            "from": span.first.isoformat(),
            "to": span.last.isoformat(),
            "agent_id": agent_id,
            "status": status,
        },
    }


def _by_day(sums: dict[date, _Sum], span: Span) -> list[dict[str, Any]]:
    days = dict.fromkeys(span.days(), _NOTHING)
    for day, each in sums.items():
        days[span.within(day)] += each
    return [
        {"date": day.isoformat(), "calls": each.calls, "minutes": each.bill_seconds / 60, "cost": amount(each.cost)}
        for day, each in days.items()
    ]


def _by_agent(sums: dict[str, _Sum]) -> list[dict[str, Any]]:
    """The busiest first."""
    busiest = sorted(sums.items(), key=lambda item: (-item[1].calls, item[0]))[:_MOST_AGENTS]
    return [
        {"agent_id": agent, "calls": each.calls, "minutes": each.bill_seconds / 60, "cost": amount(each.cost)}
        for agent, each in busiest
    ]


async def _telecom_costs(tx: Transaction, within: Sequence[sa.ColumnElement[bool]]) -> dict[str, Any]:
    """What the carriers charge for the legs of these calls, as far as they have said it."""
    leg = telephony_legs.c
    summed = (
        sa.select(sa.func.sum(leg.bill_duration), leg.cost_currency, sa.func.sum(leg.cost))
        .select_from(telephony_legs.join(calls, calls.c.id == leg.call_id))
        .where(*within)
        .group_by(leg.cost_currency)
    )
    rows = (await tx.execute(summed)).all()
    costs = {currency: cost for _, currency, cost in rows if currency is not None and cost is not None}
    return {
        "total_minutes": round(sum(seconds or 0 for seconds, _, _ in rows) / 60, 2),
        "cost_usd": amount(costs.pop("USD", Decimal(0))),
        "other_currencies": {currency: amount(cost) for currency, cost in sorted(costs.items())},
    }


# --- the query -------------------------------------------------------------------------------------------------------

_DIMENSIONS = ("day", "status", "agent_id", "bucket", "sentiment")
# What PostgreSQL's grouping() says of a row: one bit for each dimension that the row is not grouped by.
_TOTAL = (1 << len(_DIMENSIONS)) - 1
_MASKS = {name: _TOTAL & ~(1 << (len(_DIMENSIONS) - 1 - place)) for place, name in enumerate(_DIMENSIONS)}


def _within(
    tenant_id: TenantId, span: Span, agent_id: str | None, status: CallStatus | None
) -> list[sa.ColumnElement[bool]]:
    within = [
        calls.c.tenant_id == tenant_id,
        calls.c.id >= _first_id(span.first),
        calls.c.id < _first_id(span.last + _DAY),
    ]
    if agent_id is not None:
        within.append(calls.c.agent_id == agent_id)
    if status is not None:
        within.append(calls.c.status == status)
    return within


def _each_call(within: Sequence[sa.ColumnElement[bool]]) -> sa.Subquery:
    newest = (
        sa.select(call_intelligence.c.sentiment)
        .where(call_intelligence.c.call_id == calls.c.id, calls.c.intelligence_status != IntelligenceStatus.NOT_STARTED)
        .order_by(call_intelligence.c.revision.desc())
        .limit(1)
        .lateral("newest")
    )
    seconds = sa.func.extract("epoch", calls.c.ended_at - calls.c.started_at)
    known = sa.case((newest.c.sentiment.in_(_SENTIMENTS), newest.c.sentiment), else_="unknown")
    buckets = [(seconds < most, name) for most, name in _BUCKETS if most is not None]
    found = (
        sa.select(
            sa.cast(sa.func.timezone("UTC", calls.c.created_at), sa.Date).label("day"),
            calls.c.status,
            calls.c.agent_id,
            sa.case((seconds.is_(None), None), *buckets, else_=_BUCKETS[-1][1]).label("bucket"),
            known.label("sentiment"),
            sa.func.coalesce(calls.c.bill_duration, 0).label("bill_seconds"),
            sa.func.coalesce(calls.c.total_cost, 0).label("cost"),
            seconds.label("seconds"),
        )
        .select_from(calls.outerjoin(newest, sa.true()))
        .where(*within)
    )
    return found.subquery("each_call")


def _grouped(each: sa.Subquery) -> sa.Select[Any]:
    """The sums over all calls and by each dimension alone, in one pass."""
    dimensions = [each.c[name] for name in _DIMENSIONS]
    sets = [sa.tuple_(dimension) for dimension in dimensions]
    return sa.select(
        *dimensions,
        sa.func.grouping(*dimensions).label("grouped_by"),
        sa.func.count().label("calls"),
        sa.func.coalesce(sa.func.sum(each.c.bill_seconds), 0).label("bill_seconds"),
        sa.func.coalesce(sa.func.sum(each.c.cost), 0).label("cost"),
        sa.func.count(each.c.seconds).label("connected"),
        sa.func.coalesce(sa.func.sum(each.c.seconds), 0).label("connected_seconds"),
    ).group_by(sa.func.grouping_sets(*sets, sa.tuple_()))


def _first_id(day: date) -> str:
    return first_uuid_at(datetime.combine(day, time(), UTC))


def _sum(row: sa.Row[Any]) -> _Sum:
    return _Sum(row.calls, row.bill_seconds, row.cost, row.connected, row.connected_seconds)
