"""What a tenant has, what of it is held for running calls, and every movement."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.foundation.database import metadata

credit_accounts = sa.Table(
    "credit_accounts",
    metadata,
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("balance", sa.Numeric(18, 6), nullable=False, server_default="0"),
    sa.Column("held", sa.Numeric(18, 6), nullable=False, server_default="0"),
    # The lowest threshold that its owner has been told of since the balance was last above it; 0 is `depleted`.
    sa.Column("told_below", sa.Numeric(18, 6)),
    # Its own thresholds; without them the operator's holds.
    sa.Column("alert_thresholds", ARRAY(sa.Numeric(18, 6))),
    # One more: so much of the newest grant.
    sa.Column("low_balance_pct", sa.Numeric(5, 2)),
)

credit_holds = sa.Table(
    "credit_holds",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("amount", sa.Numeric(18, 6), nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)

credit_entries = sa.Table(
    "credit_entries",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount", sa.Numeric(18, 6), nullable=False),
    sa.Column("balance_after", sa.Numeric(18, 6), nullable=False),
    sa.Column("call_id", sa.Uuid(as_uuid=False)),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.UniqueConstraint("tenant_id", "reference"),
)


class Movement(StrEnum):
    GRANT = "grant"
    SETTLEMENT = "settlement"


@dataclass(frozen=True, slots=True)
class Account:
    balance: Decimal
    held: Decimal

    @property
    def available(self) -> Decimal:
        """What a new call may still hold."""
        return self.balance - self.held


@dataclass(frozen=True, slots=True)
class Entry:
    kind: Movement
    amount: Decimal
    balance_after: Decimal
    call_id: str | None
    reference: str
    note: str
    created_at: datetime
