"""Recordings in the database: one a call."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.calls.models import calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, RecordingId, new_prefixed
from rymi_server.recordings import segments
from rymi_server.recordings.models import Recording, RecordingStatus, recordings
from rymi_server.tenants.models import tenants

FORMAT = "wav"
_COLUMNS = [recordings.c[name] for name in ("id", "status", "format", "provider_recording_id", "metadata")]


async def latest(tx: Transaction, call_id: CallId) -> Recording | None:
    """The recording of a call, unless it was deleted. Whose call it is has been settled by whoever asks."""
    mine = recordings.c.call_id == call_id, recordings.c.deleted_at.is_(None)
    row = (await tx.execute(sa.select(*_COLUMNS).where(*mine))).one_or_none()
    return Recording(row[0], RecordingStatus(row[1]), *row[2:]) if row else None


async def put(
    tx: Transaction,
    call_id: CallId,
    status: RecordingStatus,
    metadata: Mapping[str, Any],
    now: datetime,
    recorders_id: str | None = None,
) -> bool:
    """Write down how it stands. One that was deleted stays so: then False."""
    values = {"status": status, "metadata": dict(metadata), "provider_recording_id": recorders_id}
    adding = insert(recordings).values(
        id=RecordingId(new_prefixed("rec")), call_id=call_id, format=FORMAT, created_at=now, **values
    )
    written = await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["call_id"], set_=values, where=recordings.c.deleted_at.is_(None)
        ).returning(recordings.c.id)
    )
    return written.scalar_one_or_none() is not None


async def add_to_metadata(tx: Transaction, call_id: CallId, more: Mapping[str, Any], pieces: Any) -> bool:
    """False where the recording is gone, or no longer the one that was made of these pieces."""
    made_of = recordings.c.metadata["pieces"]
    mine = (
        recordings.c.call_id == call_id,
        recordings.c.deleted_at.is_(None),
        made_of.is_(None) if pieces is None else made_of == sa.cast(pieces, made_of.type),
    )
    changed = await tx.execute(
        recordings.update()
        .where(*mine, recordings.c.status == RecordingStatus.READY)
        .values(metadata=recordings.c.metadata.op("||")(sa.cast(dict(more), recordings.c.metadata.type)))
    )
    return changed.rowcount > 0


async def mark_deleted(tx: Transaction, call_id: CallId, now: datetime) -> bool:
    """That its files are to go. False if there is none, or it was deleted already."""
    gone = await tx.execute(
        recordings.update()
        .where(recordings.c.call_id == call_id, recordings.c.deleted_at.is_(None))
        .values(deleted_at=now, metadata={})
    )
    await segments.forget(tx, call_id)
    return gone.rowcount > 0


async def kept_too_long(tx: Transaction, now: datetime, limit: int = 100) -> list[tuple[str, str]]:
    """Recordings older than their tenant keeps them: (call, tenant)."""
    days = tenants.c.recordings_kept_days
    found = (
        sa.select(recordings.c.call_id, calls.c.tenant_id)
        .join_from(recordings, calls, calls.c.id == recordings.c.call_id)
        .join(tenants, tenants.c.id == calls.c.tenant_id)
        .where(recordings.c.deleted_at.is_(None), days.is_not(None))
        .where(recordings.c.created_at < now - days * sa.literal(timedelta(days=1), sa.Interval))
    )
    return [(row[0], row[1]) for row in await tx.execute(found.order_by(recordings.c.created_at).limit(limit))]
