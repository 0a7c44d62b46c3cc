"""The Do-Not-Call list: numbers that a tenant must not ring."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from rymi_server.foundation.database import metadata

dnc_entries = sa.Table(
    "dnc_entries",
    metadata,
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("phone", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("opt_out_at", sa.DateTime(timezone=True), nullable=False),
)


@dataclass(frozen=True, slots=True)
class DncEntry:
    phone: str
    reason: str
    opt_out_at: datetime
