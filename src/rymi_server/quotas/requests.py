"""Counts requests by the minute, for all processes together."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.statements import Statement
from rymi_server.quotas.errors import TooManyRequests
from rymi_server.quotas.models import rate_windows

_adding = insert(rate_windows).values(subject=sa.bindparam("who"), window_start=sa.bindparam("minute"), used=1)
_COUNT = Statement(
    _adding.on_conflict_do_update(
        index_elements=[rate_windows.c.subject, rate_windows.c.window_start], set_={"used": rate_windows.c.used + 1}
    ).returning(rate_windows.c.used)
)


async def count_request(tx: Transaction, subject: str, limit: int, now: datetime) -> None:
    """Count one request of `subject` (a tenant, a key, an address); raise `TooManyRequests` beyond `limit` a minute."""
    window = now.replace(second=0, microsecond=0)
    (used,) = await _COUNT.one(tx, {"who": subject, "minute": window})
    if used > limit:
        raise TooManyRequests(limit=limit, retry_after_seconds=60 - now.second)


async def count_in(tx: Transaction, subject: str, length: timedelta, now: datetime) -> tuple[int, int]:
    """Count one more of `subject` in the present span of `length` (at most five minutes): how many, and how many
    seconds of it are left."""
    seconds = int(length.total_seconds())
    passed = int(now.timestamp()) % seconds
    window = now.replace(microsecond=0) - timedelta(seconds=passed)
    (used,) = await _COUNT.one(tx, {"who": subject, "minute": window})
    return used, seconds - passed


async def forget_old_windows(tx: Transaction, now: datetime) -> None:
    await tx.execute(rate_windows.delete().where(rate_windows.c.window_start < now - timedelta(minutes=6)))
