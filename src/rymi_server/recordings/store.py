"""Recordings in the database."""

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.recordings.models import Recording, RecordingStatus, recordings

_COLUMNS = [recordings.c[name] for name in ("id", "status", "format", "provider_recording_id", "metadata")]


async def latest(tx: Transaction, call_id: CallId) -> Recording | None:
    """The newest recording of a call. Whose call it is has been settled by whoever asks."""
    row = (
        await tx.execute(
            sa.select(*_COLUMNS)
            .where(recordings.c.call_id == call_id)
            .order_by(recordings.c.created_at.desc())
            .limit(1)
        )
    ).one_or_none()
    return Recording(row[0], RecordingStatus(row[1]), *row[2:]) if row else None
