"""When a number may be rung: the hours that its caller keeps to, by the clock where the number is.

A number may belong to several time zones; then it must be a good hour in all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
import sqlalchemy as sa
from phonenumbers.timezone import time_zones_for_number
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.telephony.models import calling_hours

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
_UNKNOWN = "Etc/Unknown"
_DAYS_AHEAD = 9
HOURS_COLUMNS = (calling_hours.c.opens_minute, calling_hours.c.closes_minute, calling_hours.c.weekdays)


@dataclass(frozen=True, slots=True)
class CallingHours:
    """From one minute of the day to before another, on these ISO weekdays (Monday is 1)."""

    opens_minute: int
    closes_minute: int
    weekdays: tuple[int, ...] = EVERY_DAY

    def include(self, local: datetime) -> bool:
        minute = local.hour * 60 + local.minute
        return local.isoweekday() in self.weekdays and self.opens_minute <= minute < self.closes_minute

    def openings(self, zone: ZoneInfo, now: datetime) -> list[datetime]:
        """The beginnings of the hours that lie ahead in this zone."""
        today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        days = [today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD)]
        return [day + timedelta(minutes=self.opens_minute) for day in days]


def next_opening(hours: CallingHours, zones: Sequence[ZoneInfo], now: datetime) -> datetime:
    """`now` if it is a good hour in every zone, else the next moment that is.

    Zones that share no hour (a number of no place) are reduced to the first.
    """
    ahead = sorted({now, *(opening.astimezone(now.tzinfo) for zone in zones for opening in hours.openings(zone, now))})
    for moment in ahead:
        if moment >= now and all(hours.include(moment.astimezone(zone)) for zone in zones):
            return moment
    return next_opening(hours, zones[:1], now) if len(zones) > 1 else now


def zones_of(number: str) -> list[ZoneInfo]:
    """Where a number may be; UTC where nobody knows."""
    names = time_zones_for_number(phonenumbers.parse(number, None))
    found = []
    for name in names:
        if name != _UNKNOWN:
            try:
                found.append(ZoneInfo(name))
            except ZoneInfoNotFoundError:  # The phone library knows a zone that this machine does not yet.
                continue
    return found or [ZoneInfo("UTC")]


async def hours_of(tx: Transaction, tenant_id: TenantId) -> CallingHours | None:
    """None where the tenant calls at any hour."""
    row = (await tx.execute(sa.select(*HOURS_COLUMNS).where(calling_hours.c.tenant_id == tenant_id))).one_or_none()
    return hours_from(row) if row else None


def hours_from(columns: Sequence[Any]) -> CallingHours | None:
    """Of `HOURS_COLUMNS`; None where an outer join found no hours."""
    opens_minute, closes_minute, weekdays = columns
    return CallingHours(opens_minute, closes_minute, tuple(weekdays)) if weekdays is not None else None


async def keep_to(tx: Transaction, tenant_id: TenantId, hours: CallingHours | None) -> None:
    """None takes the hours away."""
    if hours is None:
        await tx.execute(calling_hours.delete().where(calling_hours.c.tenant_id == tenant_id))
        return
    values = {
        "opens_minute": hours.opens_minute,
        "closes_minute": hours.closes_minute,
        "weekdays": list(hours.weekdays),
    }
    adding = insert(calling_hours).values(tenant_id=tenant_id, **values)
    await tx.execute(adding.on_conflict_do_update(index_elements=[calling_hours.c.tenant_id], set_=values))
