"""The log of a call in the database, in the order in which it was written."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from rymi_server.events.models import Event, Level, Source, call_events
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, EventId, new_prefixed
from rymi_server.foundation.pagination import Page, Window
from rymi_server.foundation.rows import Rows, write

_COLUMNS = [call_events.c[name] for name in ("id", "call_id", "level", "source", "message", "created_at")]


async def record(
    tx: Transaction, call_id: CallId, source: Source, message: str, now: datetime, level: Level = Level.INFO
) -> None:
    await write(tx, written(call_id, source, message, now, level))


def written(call_id: CallId, source: Source, message: str, now: datetime, level: Level = Level.INFO) -> Rows:
    """One event, to be written together with what it is about."""
    return rows_of([Event(EventId(new_prefixed("evt")), call_id, level, source, message, now)])


def rows_of(events: Sequence[Event]) -> Rows:
    """Events, to be written."""
    return Rows(
        call_events,
        [
            {
                "id": event.id,
                "call_id": event.call_id,
                "level": event.level,
                "source": event.source,
                "message": event.message,
                "created_at": event.created_at,
            }
            for event in events
        ],
    )


async def after(tx: Transaction, call_id: CallId, number: int, *, overlap: int = 0) -> list[tuple[int, Event]]:
    """What was written after the event with that number, each with its own. With `overlap`, also the last few before:
    a number is given out before its transaction ends, and a lower one may be seen later."""
    mine = sa.select(call_events.c.seq, *_COLUMNS).where(
        call_events.c.call_id == call_id, call_events.c.seq > number - overlap
    )
    return [
        (row[0], Event(row[1], row[2], Level(row[3]), Source(row[4]), *row[5:]))
        for row in await tx.execute(mine.order_by(call_events.c.seq))
    ]


async def page(tx: Transaction, call_id: CallId, window: Window) -> Page[Event]:
    """Oldest first. Whose call it is has been settled by whoever asks."""
    mine = call_events.c.call_id == call_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(call_events).where(mine))).scalar_one()
    rows = await tx.execute(
        sa.select(*_COLUMNS).where(mine).order_by(call_events.c.seq).limit(window.limit).offset(window.offset)
    )
    return Page([Event(row[0], row[1], Level(row[2]), Source(row[3]), *row[4:]) for row in rows], total)
