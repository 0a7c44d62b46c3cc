"""How often somebody has asked, by the minute."""

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
