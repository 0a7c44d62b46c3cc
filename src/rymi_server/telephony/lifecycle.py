"""How a leg lives. Values in, values out.

A carrier's reports come late, twice and in any order. A report counts only if it raises the leg's rank; what is over
stays over, and a late report may still fill in what was not known.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rymi_server.telephony.carriers.carrier import LegReport
from rymi_server.telephony.models import Leg, LegReason, LegStatus

RANK = {
    LegStatus.QUEUED: 0,
    LegStatus.RINGING: 1,
    LegStatus.IN_PROGRESS: 2,
    LegStatus.COMPLETED: 3,
    LegStatus.FAILED: 3,
}


@dataclass(frozen=True, slots=True)
class Change:
    """New values of the leg's columns, and the status that it has reached by them, if that is another one."""

    values: dict[str, Any]
    reached: LegStatus | None


def is_about(leg: Leg, report: LegReport) -> bool:
    """Whether the report is about this leg's own call at the carrier, and not about a socket or a second leg of it."""
    return leg.provider_call_id in (None, report.provider_call_id, *report.aliases)


def advance(leg: Leg, report: LegReport, now: datetime) -> Change:
    """What the report changes."""
    values: dict[str, Any] = {"heard_at": now}
    if leg.provider_call_id != report.provider_call_id:
        values["provider_call_id"] = report.provider_call_id
    values |= _blanks_filled(leg, report)
    if report.status is None or RANK[report.status] <= RANK[leg.status]:
        return Change(values, None)
    values["status"] = report.status
    if report.status in (LegStatus.IN_PROGRESS, LegStatus.COMPLETED) and leg.answered_at is None:
        values["answered_at"] = now
    if report.status is LegStatus.FAILED:
        values |= {"reason": report.reason or LegReason.CARRIER, "ended_at": now}
    if report.status is LegStatus.COMPLETED:
        values |= {"ended_at": now, "reason": None if leg.bridged_at else LegReason.NO_MEDIA}
    return Change(values, report.status)


def waits_in_vain(leg: Leg, now: datetime, at_most: timedelta) -> bool:
    """Whether it was answered, and its audio has not come for longer than `at_most` since it could have."""
    if leg.status is not LegStatus.IN_PROGRESS or leg.bridged_at or leg.transferred_to is not None:
        return False
    since = [at for at in (leg.answered_at, leg.media_offered_at) if at]
    return bool(since) and max(since) < now - at_most


def _blanks_filled(leg: Leg, report: LegReport) -> dict[str, Any]:
    told = {
        "bill_duration": report.bill_seconds,
        "cost": report.cost,
        "cost_currency": report.cost_currency if report.cost is not None else None,
        "answered_by": report.answered_by,
        "cause": report.cause,
    }
    return {name: value for name, value in told.items() if value is not None and getattr(leg, name) is None}
