"""A tenant: one customer of this installation, with everything that is theirs."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import TenantId

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("paused_at", sa.DateTime(timezone=True)),
    sa.Column("paused_reason", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("recordings_kept_days", sa.Integer),
    sa.Column("time_zone", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Tenant:
    id: TenantId
    name: str
    plan: str
    paused_at: datetime | None
    paused_reason: str | None
    created_at: datetime
    # Recordings are deleted after so many days; None keeps them until somebody deletes them.
    recordings_kept_days: int | None = None
    # Where "tomorrow at ten" is reckoned from, as IANA names it; None is UTC.
    time_zone: str | None = None

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None
