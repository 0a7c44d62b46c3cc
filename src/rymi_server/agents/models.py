"""An agent: its name, its role, and the rest of its configuration as it was written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import AgentId, TenantId

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("agent_role", sa.Text, nullable=False),
    sa.Column("config", JSONB, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("deleted_at", sa.DateTime(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class Agent:
    id: AgentId
    tenant_id: TenantId
    name: str
    agent_role: str
    # Everything else that the API lets one say of an agent; a field of which nothing was said is absent.
    config: dict[str, Any]
    created_at: datetime
    updated_at: datetime

    def frozen(self) -> dict[str, Any]:
        """The agent as a call keeps it, so that a later change does not reach a running or finished call."""
        return {"id": self.id, "name": self.name, "agent_role": self.agent_role, **self.config}
