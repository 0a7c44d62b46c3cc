"""The finished pieces of a recording, as agents have reported them: one for each run that recorded."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import CallId

recording_segments = sa.Table(
    "recording_segments",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("started_at_ms", sa.Integer, nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("tracks", JSONB, nullable=False),
    sa.Column("peaks", JSONB, nullable=False),
    sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
)


_TOLD = ("started_at_ms", "duration_ms", "tracks", "peaks", "reported_at")


@dataclass(frozen=True, slots=True)
class Segment:
    """Times are on the call's clock; `tracks` are further files by name."""

    key: str
    started_at_ms: int
    duration_ms: int
    tracks: dict[str, str]
    peaks: dict[str, Any]


def recorders_id(pieces: Sequence[Segment]) -> str:
    """What whoever recorded the call knows the recording by: the name of its first piece."""
    return min(pieces, key=lambda piece: piece.started_at_ms).key.rpartition("/")[2].removesuffix(".wav")


async def add(tx: Transaction, call_id: CallId, segments: Sequence[Segment], now: datetime) -> None:
    """A segment that is there already gets what is told of it now: a torn one is repaired and reported again."""
    for segment in segments:
        adding = insert(recording_segments).values(call_id=call_id, reported_at=now, **asdict(segment))
        await tx.execute(
            adding.on_conflict_do_update(
                index_elements=[recording_segments.c.call_id, recording_segments.c.key],
                set_={name: adding.excluded[name] for name in _TOLD},
            )
        )


async def of_call(tx: Transaction, call_id: CallId) -> list[Segment]:
    """In the order of the call's clock."""
    columns = [recording_segments.c[name] for name in ("key", "started_at_ms", "duration_ms", "tracks", "peaks")]
    mine = sa.select(*columns).where(recording_segments.c.call_id == call_id)
    return [Segment(*row) for row in await tx.execute(mine.order_by(recording_segments.c.started_at_ms))]


async def forget(tx: Transaction, call_id: str) -> None:
    await tx.execute(recording_segments.delete().where(recording_segments.c.call_id == call_id))


def extent(pieces: Sequence[Segment]) -> dict[str, int]:
    """By which a recording is known to be made of these pieces and no others. `extent_in` is the same to PostgreSQL."""
    return {"count": len(pieces), "duration_ms": sum(piece.duration_ms for piece in pieces)}


def extent_in() -> sa.ColumnElement[Any]:
    """Of the rows of a group."""
    columns = recording_segments.c
    return sa.func.jsonb_build_object(
        "count", sa.func.count(columns.key), "duration_ms", sa.func.coalesce(sa.func.sum(columns.duration_ms), 0)
    )
