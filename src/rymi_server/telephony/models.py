"""A phone leg: one attempt to have one number in one call. And the carrier accounts that legs go through."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

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
    sa.Column("connection_id", sa.Text),
    sa.Column("account", sa.Text),
    sa.Column("region_url", sa.Text),
    sa.Column("answered_by", sa.Text),
    sa.Column("cause", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("dial_at", sa.DateTime(timezone=True)),
    sa.Column("held_until", sa.DateTime(timezone=True)),
    sa.Column("heard_at", sa.DateTime(timezone=True)),
    sa.Column("answered_at", sa.DateTime(timezone=True)),
    sa.Column("bridged_at", sa.DateTime(timezone=True)),
    sa.Column("media_ended_at", sa.DateTime(timezone=True)),
    sa.Column("media_offered_at", sa.DateTime(timezone=True)),
    sa.Column("media_uses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("media_resumed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("price_looks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("transferred_to", sa.Text),
    sa.Column("cost_currency", sa.Text),
)

carrier_connections = sa.Table(
    "carrier_connections",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("account_id", sa.Text, nullable=False),
    sa.Column("account_name", sa.Text, nullable=False),
    sa.Column("account_country", sa.Text),
    sa.Column("is_trial", sa.Boolean, nullable=False),
    sa.Column("sealed_credentials", sa.LargeBinary),
    sa.Column("provisioned_for", sa.Text, nullable=False),
    sa.Column("calls_per_second", sa.Numeric(9, 3)),
    sa.Column("concurrent_calls", sa.Integer),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("disconnected_at", sa.DateTime(timezone=True)),
    sa.Column("released_at", sa.DateTime(timezone=True)),
)

carrier_numbers = sa.Table(
    "carrier_numbers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("connection_id", sa.Text, nullable=False),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("country", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("routing_before", JSONB(none_as_null=True)),
    sa.Column("routed_to", sa.Text),
    sa.Column("routing_error", sa.Text),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)

dial_pace = sa.Table(
    "dial_pace",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
    prefixes=["UNLOGGED"],
)

calling_hours = sa.Table(
    "calling_hours",
    metadata,
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("opens_minute", sa.Integer, nullable=False),
    sa.Column("closes_minute", sa.Integer, nullable=False),
    sa.Column("weekdays", ARRAY(sa.Integer), nullable=False),
)


class LegStatus(StrEnum):
    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class LegReason(StrEnum):
    """Why a leg failed. The first are ours: nothing was dialed, or nothing is known of it."""

    NO_CARRIER = "no_carrier"
    DO_NOT_CALL = "do_not_call"
    CALL_ENDED = "call_ended"
    CARRIER_REFUSED = "carrier_refused"
    CARRIER_UNREACHABLE = "carrier_unreachable"
    OUTCOME_UNKNOWN = "outcome_unknown"
    # Somebody answered, and the audio never came.
    NO_MEDIA = "no_media"
    # What carriers say.
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCELED = "canceled"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    SPAM_BLOCKED = "spam_blocked"
    MACHINE = "machine"
    CARRIER = "carrier"


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
    # The connection it goes through, and the account at the carrier whose limits it counts against.
    connection_id: str | None = None
    account: str | None = None
    region_url: str | None = None
    answered_by: str | None = None
    # The carrier's own word for how it ended.
    cause: str | None = None
    attempts: int = 0
    # Roughly when its turn to be dialed comes, by the pace of its account.
    dial_at: datetime | None = None
    # It is not dialed before then: by the hours of its tenant, or because the carrier could not take it.
    held_until: datetime | None = None
    # When the carrier last said anything about it.
    heard_at: datetime | None = None
    answered_at: datetime | None = None
    bridged_at: datetime | None = None
    media_ended_at: datetime | None = None
    media_offered_at: datetime | None = None
    media_uses: int = 0
    media_resumed: bool = False
    price_looks: int = 0
    # The carrier's call follows another phone by now, and is not ours to end.
    transferred_to: str | None = None
    # What `cost` is counted in, as ISO 4217 names it.
    cost_currency: str | None = None

    @property
    def is_over(self) -> bool:
        return self.status in (LegStatus.COMPLETED, LegStatus.FAILED)

    @property
    def our_number(self) -> str | None:
        """The number at our end of this leg."""
        return self.from_number if self.direction is Direction.OUTBOUND else self.to_number

    @property
    def other_number(self) -> str | None:
        """The number of the person on this leg."""
        return self.to_number if self.direction is Direction.OUTBOUND else self.from_number


@dataclass(frozen=True, slots=True)
class Connection:
    """A tenant's account at a carrier."""

    id: str
    tenant_id: TenantId
    provider: str
    account_id: str
    account_name: str
    account_country: str | None
    is_trial: bool
    sealed_credentials: bytes | None = field(repr=False)
    provisioned_for: str
    calls_per_second: Decimal | None
    concurrent_calls: int | None
    created_at: datetime
    disconnected_at: datetime | None
    released_at: datetime | None

    @property
    def is_active(self) -> bool:
        return self.disconnected_at is None


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """A number as it was last seen at its carrier."""

    id: str
    connection_id: str
    tenant_id: TenantId
    provider: str
    number: str
    reference: str
    country: str | None
    status: str
    routing_before: dict[str, str] | None
    routed_to: str | None
    routing_error: str | None
    seen_at: datetime
