"""Since when there has been an API that agents could report to. An agent that nobody could hear was not silent."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction, metadata

SEEN_EVERY = timedelta(seconds=2)
_GONE_AFTER = timedelta(seconds=7)
_FORGOTTEN_AFTER = timedelta(hours=1)

api_presences = sa.Table(
    "api_presences",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
)


async def be_seen(tx: Transaction, process: str, started_at: datetime, now: datetime) -> None:
    """Say that the API process `process` is here. Those that have gone are forgotten on the way."""
    here = insert(api_presences).values(id=process, started_at=started_at, seen_at=now)
    await tx.execute(here.on_conflict_do_update(index_elements=[api_presences.c.id], set_={"seen_at": now}))
    await tx.execute(api_presences.delete().where(api_presences.c.seen_at < now - _FORGOTTEN_AFTER))


async def reachable_since(tx: Transaction, now: datetime) -> datetime | None:
    """When the API process that has been here for longest began; None where none is here."""
    here = sa.select(sa.func.min(api_presences.c.started_at)).where(api_presences.c.seen_at > now - _GONE_AFTER)
    found: datetime | None = (await tx.execute(here)).scalar_one()
    return found
