"""Transcripts in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.transcripts.models import Entry, Speaker, transcript_entries

_TOLD = sa.func.coalesce(transcript_entries.c.told, transcript_entries.c.sequence)
_COLUMNS = [column for column in transcript_entries.c if column.name not in ("call_id", "told")]


async def append(tx: Transaction, call_id: CallId, lines: Sequence[Entry]) -> None:
    """Add lines behind those that are there, numbered on from them; their own numbers count among themselves only.
    The call must be locked."""
    if not lines:
        return
    last = sa.select(sa.func.coalesce(sa.func.max(transcript_entries.c.sequence), -1)).where(
        transcript_entries.c.call_id == call_id
    )
    first: int = (await tx.execute(last)).scalar_one() + 1
    rows = [
        {**asdict(line), "call_id": call_id, "sequence": number, "told": number}
        for number, line in enumerate(lines, start=first)
    ]
    await tx.execute(transcript_entries.insert(), rows)


async def after(tx: Transaction, call_id: CallId, told: int) -> list[tuple[int, Entry]]:
    """The lines that were told after the one with that number, each with its own; `renumber` changes none of these."""
    found = sa.select(_TOLD, *_COLUMNS).where(transcript_entries.c.call_id == call_id, told < _TOLD).order_by(_TOLD)
    return [(row[0], _entry(row[1:])) for row in await tx.execute(found)]


async def of_call(tx: Transaction, call_id: CallId) -> Sequence[Entry]:
    """In the order in which it was said. Whose call it is has been settled by whoever asks."""
    mine = sa.select(*_COLUMNS).where(transcript_entries.c.call_id == call_id)
    return [_entry(row) for row in await tx.execute(mine.order_by(transcript_entries.c.sequence))]


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(row[0], row[1], row[2], Speaker(row[3]), *row[4:])


async def renumber(tx: Transaction, call_id: CallId, order: Sequence[int]) -> None:
    """Let the lines, named by their present numbers, be numbered from 0 in this order."""
    if list(order) == list(range(len(order))):
        return
    # In two steps, because no two lines may have one number in between.
    await tx.execute(_RENUMBER, {"call": call_id, "order": list(order)})
    mine = transcript_entries.c.call_id == call_id, transcript_entries.c.sequence < 0
    await tx.execute(transcript_entries.update().where(*mine).values(sequence=-1 - transcript_entries.c.sequence))


_RENUMBER = sa.text("""
    update transcript_entries set sequence = -placed.place
    from unnest(cast(:order as integer[])) with ordinality as placed (present, place)
    where call_id = :call and sequence = placed.present
""")
