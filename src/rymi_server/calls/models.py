"""A call, and who takes part in it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import AgentId, CallId, ParticipantId, TenantId

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("agent_id", sa.Uuid(as_uuid=False), sa.ForeignKey("agents.id"), nullable=False),
    sa.Column("agent", JSONB, nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("end_reason", sa.Text),
    sa.Column("metadata", JSONB, nullable=False),
    sa.Column("variables", JSONB, nullable=False),
    sa.Column("post_call", JSONB, nullable=False),
    sa.Column("batch_id", sa.Text),
    sa.Column("rate_per_minute", sa.Numeric(18, 6), nullable=False),
    sa.Column("bill_duration", sa.Integer),
    sa.Column("total_cost", sa.Numeric(18, 6)),
    sa.Column("intelligence_status", sa.Text, nullable=False, server_default="not_started"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("clock_started_at", sa.DateTime(timezone=True)),
)

call_participants = sa.Table(
    "call_participants",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("call_id", sa.Uuid(as_uuid=False), sa.ForeignKey("calls.id", ondelete="CASCADE"), nullable=False),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("transport", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("metadata", JSONB, nullable=False),
    sa.Column("leave_reason", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("joined_at", sa.DateTime(timezone=True)),
    sa.Column("left_at", sa.DateTime(timezone=True)),
)

# In the metadata of a human whom a warm transfer calls in: how. Customers may have a word of the same name there.
TRANSFER = "transfer"
_WARM = "warm"


class CallStatus(StrEnum):
    QUEUED = "queued"
    CONNECTING = "connecting"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class IntelligenceStatus(StrEnum):
    NOT_STARTED = "not_started"
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class Role(StrEnum):
    CUSTOMER = "customer"
    OBSERVER = "observer"
    AGENT = "agent"


class Transport(StrEnum):
    WEBRTC = "webrtc"
    PSTN = "pstn"
    SIP = "sip"
    INTERNAL = "internal"


class ParticipantStatus(StrEnum):
    QUEUED = "queued"
    JOINING = "joining"
    ACTIVE = "active"
    LEFT = "left"
    FAILED = "failed"


class EndReason(StrEnum):
    """Why a call ended, in the words of the API."""

    ENDED_BY_API = "ended_by_api"
    NOBODY_JOINED = "nobody_joined"
    DIALING_FAILED = "dialing_failed"
    USER_DISCONNECT = "user_disconnect"
    PROVIDER_DISCONNECT = "provider_disconnect"
    END_CALL_TOOL = "end_call_tool"
    SILENCE = "silence"
    HANDOFF_TO_HUMAN = "handoff_to_human"
    MAX_DURATION = "max_duration"
    CREDITS_EXHAUSTED = "credits_exhausted"
    AGENT_LOST = "agent_lost"
    # The agent was there and could not go on: an engine of its own had failed for good, or was not to be had.
    AGENT_FAILED = "agent_failed"
    ROOM_CLOSED = "room_closed"


class LeaveReason(StrEnum):
    """Why a participant is gone. A carrier's own reasons stand on the leg."""

    CALL_ENDED = "call_ended"
    JOIN_TIMEOUT = "join_timeout"
    DIALING_FAILED = "dialing_failed"
    USER_DISCONNECT = "user_disconnect"
    CONNECTION_LOST = "connection_lost"
    REMOVED = "removed"
    HUNG_UP = "hung_up"
    TRANSFERRED = "transferred"


@dataclass(frozen=True, slots=True)
class Participant:
    id: ParticipantId
    call_id: CallId
    tenant_id: TenantId
    role: Role
    transport: Transport
    identity: str
    status: ParticipantStatus
    metadata: dict[str, Any]
    leave_reason: str | None
    created_at: datetime
    joined_at: datetime | None
    left_at: datetime | None

    @property
    def transfer(self) -> dict[str, Any] | None:
        """How this human is to be put through to the others; None of whoever is in the call for another reason."""
        how = self.metadata.get(TRANSFER)
        return how if isinstance(how, dict) and how.get("mode") == _WARM else None


@dataclass(frozen=True, slots=True)
class Call:
    id: CallId
    tenant_id: TenantId
    agent_id: AgentId
    direction: Direction
    status: CallStatus
    end_reason: str | None
    metadata: dict[str, Any]
    variables: dict[str, Any]
    post_call: dict[str, Any]
    batch_id: str | None
    rate_per_minute: Decimal
    bill_duration: int | None
    total_cost: Decimal | None
    intelligence_status: IntelligenceStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    # Zero of the transcript and the recording: when the agent first heard of somebody in the room.
    clock_started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that is about to exist, with the agent as it is frozen for it."""

    call: Call
    agent: dict[str, Any]
    participants: tuple[Participant, ...]
