"""What analyses found, in the database: one row a run, the newest shown."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.calls.models import IntelligenceStatus, calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.intelligence.models import Intelligence, call_intelligence

_COLUMNS = [
    call_intelligence.c[name]
    for name in ("revision", "status", "summary", "sentiment", "structured_data", "evaluation", "errors", "details")
]


async def newest(tx: Transaction, call_id: CallId) -> Intelligence | None:
    """The newest run. Whose call it is has been settled by whoever asks."""
    mine = sa.select(*_COLUMNS).where(call_intelligence.c.call_id == call_id)
    row = (await tx.execute(mine.order_by(call_intelligence.c.revision.desc()).limit(1))).one_or_none()
    return Intelligence(row[0], IntelligenceStatus(row[1]), *row[2:]) if row else None


async def shown(tx: Transaction, call_id: CallId) -> Intelligence | None:
    """The newest run that has ended, so that what was found stays to be seen while the call is read again."""
    mine = sa.select(*_COLUMNS).where(call_intelligence.c.call_id == call_id)
    ended_first = mine.order_by(call_intelligence.c.completed_at.is_(None), call_intelligence.c.revision.desc())
    row = (await tx.execute(ended_first.limit(1))).one_or_none()
    return Intelligence(row[0], IntelligenceStatus(row[1]), *row[2:]) if row else None


async def lost(tx: Transaction, begun_before: datetime, limit: int = 200) -> list[tuple[str, str, int, datetime]]:
    """Newest runs of calls that began before then and have not ended: (call, tenant, revision, since)."""
    columns = call_intelligence.c
    later = call_intelligence.alias()
    waiting = (
        sa.select(columns.call_id, calls.c.tenant_id, columns.revision, columns.created_at)
        .join(calls, calls.c.id == columns.call_id)
        .where(columns.completed_at.is_(None), columns.created_at < begun_before)
        .where(~sa.exists().where(later.c.call_id == columns.call_id, later.c.revision > columns.revision))
        .order_by(columns.created_at)
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await tx.execute(waiting)]


async def newest_finished(tx: Transaction, call_id: CallId) -> tuple[int, datetime] | None:
    """The newest run that has ended, and when it did."""
    columns = call_intelligence.c.revision, call_intelligence.c.completed_at
    ended = call_intelligence.c.call_id == call_id, call_intelligence.c.completed_at.is_not(None)
    newest_first = sa.select(*columns).where(*ended).order_by(call_intelligence.c.revision.desc()).limit(1)
    row = (await tx.execute(newest_first)).one_or_none()
    return (row[0], row[1]) if row else None


async def begin(tx: Transaction, call_id: CallId, config: Mapping[str, Any], now: datetime) -> int:
    """Open a further run, of what `config` asks for, and return its revision. The call must be locked."""
    newest_revision = sa.select(sa.func.coalesce(sa.func.max(call_intelligence.c.revision), 0)).where(
        call_intelligence.c.call_id == call_id
    )
    revision: int = (await tx.execute(newest_revision)).scalar_one() + 1
    await tx.execute(
        insert(call_intelligence).values(
            call_id=call_id,
            revision=revision,
            status=IntelligenceStatus.PENDING,
            config=dict(config),
            created_at=now,
        )
    )
    return revision


async def config_of(tx: Transaction, call_id: CallId, revision: int) -> dict[str, Any]:
    """What a run was asked for."""
    mine = call_intelligence.c.call_id == call_id, call_intelligence.c.revision == revision
    config: dict[str, Any] = (await tx.execute(sa.select(call_intelligence.c.config).where(*mine))).scalar_one()
    return config


async def finish(
    tx: Transaction, call_id: CallId, revision: int, status: IntelligenceStatus, now: datetime, **found: Any
) -> bool:
    """End a run. False if it had ended before: then nothing changes."""
    ended = await tx.execute(
        call_intelligence.update()
        .where(
            call_intelligence.c.call_id == call_id,
            call_intelligence.c.revision == revision,
            call_intelligence.c.completed_at.is_(None),
        )
        .values(status=status, completed_at=now, **found)
    )
    return ended.rowcount > 0
