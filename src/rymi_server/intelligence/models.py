"""One run of the analysis of a call."""

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from rymi_server.calls.models import IntelligenceStatus
from rymi_server.foundation.database import metadata

call_intelligence = sa.Table(
    "call_intelligence",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("summary", sa.Text),
    sa.Column("sentiment", sa.Text),
    sa.Column("structured_data", JSONB),
    sa.Column("evaluation", JSONB),
    sa.Column("errors", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("config", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("completed_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Intelligence:
    revision: int
    status: IntelligenceStatus
    summary: str | None
    sentiment: str | None
    structured_data: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    errors: list[dict[str, Any]]
    # Where each finding comes from: methods, evidence, confidence.
    details: dict[str, Any] = field(default_factory=dict)
