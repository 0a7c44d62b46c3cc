"""One line in a call's log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import CallId, EventId

call_events = sa.Table(
    "call_events",
    metadata,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("call_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Source(StrEnum):
    LIFECYCLE = "lifecycle"
    POST_CALL = "post_call"
    TELEPHONY = "telephony"
    LIVEKIT = "livekit"


@dataclass(frozen=True, slots=True)
class Event:
    id: EventId
    call_id: CallId
    level: Level
    source: Source
    message: str
    created_at: datetime
