"""Plans: how much a tenant may ask of this installation."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from rymi_server.foundation.database import metadata

rate_windows = sa.Table(
    "rate_windows",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("window_start", sa.DateTime(timezone=True), primary_key=True),
    sa.Column("used", sa.Integer, nullable=False),
    prefixes=["UNLOGGED"],
)


@dataclass(frozen=True, slots=True)
class Plan:
    """None means no limit."""

    requests_per_minute: int | None = None
    concurrent_calls: int | None = None
    # How far a moment's rush may go beyond the even rate, within the same minute.
    burst: int = 0


@dataclass(frozen=True, slots=True)
class Plans:
    by_name: Mapping[str, Plan]

    def of(self, name: str) -> Plan:
        return self.by_name[name]
