"""A phone leg: one attempt to have one number in one call."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa

from rymi_server.calls.models import Direction
from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import CallId, LegId, ParticipantId, TenantId

telephony_legs = sa.Table(
    "telephony_legs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("participant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("provider", sa.Text),
    sa.Column("provider_call_id", sa.Text),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("from_number", sa.Text),
    sa.Column("to_number", sa.Text, nullable=False),
    sa.Column("bill_duration", sa.Integer),
    sa.Column("cost", sa.Numeric(18, 6)),
    sa.Column("claimed_at", sa.DateTime(timezone=True)),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
)


class LegStatus(StrEnum):
    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class LegReason(StrEnum):
    """Why a leg failed before anybody could answer."""

    NO_CARRIER = "no_carrier"
    DO_NOT_CALL = "do_not_call"
    CALL_ENDED = "call_ended"
    CARRIER_REFUSED = "carrier_refused"
    OUTCOME_UNKNOWN = "outcome_unknown"


@dataclass(frozen=True, slots=True)
class Leg:
    id: LegId
    call_id: CallId
    participant_id: ParticipantId
    tenant_id: TenantId
    provider: str | None
    provider_call_id: str | None
    direction: Direction
    status: LegStatus
    reason: str | None
    from_number: str | None
    to_number: str
    bill_duration: int | None
    cost: Decimal | None
    claimed_at: datetime | None
    created_at: datetime
    ended_at: datetime | None
