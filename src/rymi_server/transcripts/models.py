"""A line of a transcript."""

from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import ParticipantId

transcript_entries = sa.Table(
    "transcript_entries",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    # The sequence that the line came with, which stays when the lines are put in order; None where it was not noted.
    sa.Column("told", sa.Integer),
    sa.Column("participant_id", sa.Uuid(as_uuid=False)),
    sa.Column("identity", sa.Text),
    sa.Column("speaker", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("started_at_ms", sa.Integer),
    sa.Column("ended_at_ms", sa.Integer),
    sa.Column("is_final", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("segment_id", sa.Text),
)


class Speaker(StrEnum):
    USER = "user"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one person (or the agent) said without being taken turns with; the agent's is what was heard of it."""

    sequence: int
    participant_id: ParticipantId | None
    identity: str | None
    speaker: Speaker
    text: str
    started_at_ms: int | None
    ended_at_ms: int | None
    is_final: bool
    source: str
    # What the drafts of this line were called, while it was being said.
    segment_id: str | None = None
