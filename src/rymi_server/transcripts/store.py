"""Transcripts in the database."""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.transcripts.models import Entry, Speaker, transcript_entries

_COLUMNS = [column for column in transcript_entries.c if column.name != "call_id"]


async def append(tx: Transaction, call_id: CallId, lines: Sequence[Entry]) -> None:
    """Add lines behind those that are there, numbered on from them; their own numbers count among themselves only.
    The call must be locked."""
    if not lines:
        return
    last = sa.select(sa.func.coalesce(sa.func.max(transcript_entries.c.sequence), -1)).where(
        transcript_entries.c.call_id == call_id
    )
    first: int = (await tx.execute(last)).scalar_one() + 1
    rows = [{**asdict(line), "call_id": call_id, "sequence": first + index} for index, line in enumerate(lines)]
    await tx.execute(transcript_entries.insert(), rows)


async def after(tx: Transaction, call_id: CallId, sequence: int) -> Sequence[Entry]:
    """The lines behind that one."""
    return await _read(tx, transcript_entries.c.call_id == call_id, transcript_entries.c.sequence > sequence)


async def of_call(tx: Transaction, call_id: CallId) -> Sequence[Entry]:
    """In the order in which it was said. Whose call it is has been settled by whoever asks."""
    return await _read(tx, transcript_entries.c.call_id == call_id)


async def _read(tx: Transaction, *which: sa.ColumnElement[bool]) -> Sequence[Entry]:
    rows = await tx.execute(sa.select(*_COLUMNS).where(*which).order_by(transcript_entries.c.sequence))
    return [Entry(row[0], row[1], row[2], Speaker(row[3]), *row[4:]) for row in rows]


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
