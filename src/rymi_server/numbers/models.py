"""A registered number: the tenant's own, at its carrier, answered by an agent."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import AgentId, NumberId, TenantId

phone_numbers = sa.Table(
    "phone_numbers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    sa.Column("agent_id", sa.Uuid(as_uuid=False), sa.ForeignKey("agents.id")),
    sa.Column("provider", sa.Text),
    sa.Column("status", sa.Text, nullable=False, server_default="active"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    id: NumberId
    tenant_id: TenantId
    number: str
    agent_id: AgentId | None
    provider: str | None
    status: str
    created_at: datetime
