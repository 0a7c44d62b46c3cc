"""A webhook endpoint: where a tenant wants to be told, and of what."""

from dataclasses import dataclass
from datetime import datetime

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
)


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
