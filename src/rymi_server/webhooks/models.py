"""A webhook endpoint: where a tenant wants to be told, and of what. A delivery: one thing that it is told."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import TenantId, WebhookId

SECRET_PURPOSE = "webhook"

webhook_endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", ARRAY(sa.Text), nullable=False),
    sa.Column("sealed_secret", sa.LargeBinary, nullable=False),
    sa.Column("alert_email", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("open_until", sa.DateTime(timezone=True)),
    sa.Column("alerted_at", sa.DateTime(timezone=True)),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sequence", sa.BigInteger, sa.Identity(always=True), nullable=False),
    sa.Column("endpoint_id", sa.Text, sa.ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_attempt_at", sa.DateTime(timezone=True)),
    sa.Column("claimed_until", sa.DateTime(timezone=True)),
    sa.Column("claim", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("endpoint_id", "event_id"),
)

webhook_attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("took_ms", sa.Integer, nullable=False),
    sa.Column("status_code", sa.Integer),
    sa.Column("reply", sa.Text),
    sa.Column("error", sa.Text),
)


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: WebhookId
    tenant_id: TenantId
    url: str
    events: tuple[str, ...]
    # Sealed for the tenant, for `SECRET_PURPOSE`. Only whoever signs a delivery opens it.
    sealed_secret: bytes
    alert_email: str | None
    created_at: datetime
    # Deliveries that failed in a row, and until when it is left alone because of them.
    failures: int = 0
    open_until: datetime | None = None
    alerted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    endpoint_id: WebhookId
    tenant_id: TenantId
    event_id: str
    event: str
    subject: str
    # As it is sent, to the byte: a signature is over exactly this.
    body: str
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    reason: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    begun_at: datetime
    took_ms: int
    status_code: int | None
    reply: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell a tenant. `event_id` is its own for ever; `subject` is what it is about."""

    event: str
    event_id: str
    subject: str
    at: datetime
    data: dict[str, Any]
