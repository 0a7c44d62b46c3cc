"""Requests of carriers that must not be taken twice: whoever overheard one cannot send it again.

A request is remembered in the transaction that does what it says. Where that fails, the carrier may send it again.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction, metadata

# A carrier's token is good for five minutes, before and after its time.
KEPT_FOR = timedelta(minutes=15)

carrier_requests = sa.Table(
    "carrier_requests",
    metadata,
    sa.Column("connection_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    prefixes=["UNLOGGED"],
)


async def is_first(tx: Transaction, connection_id: str, name: str, now: datetime) -> bool:
    """Whether it comes for the first time. Whoever else brings it waits for this transaction."""
    noting = insert(carrier_requests).values(connection_id=connection_id, name=name, seen_at=now)
    noted = noting.on_conflict_do_nothing().returning(carrier_requests.c.name)
    return (await tx.execute(noted)).one_or_none() is not None


async def forget_old(tx: Transaction, now: datetime) -> None:
    await tx.execute(carrier_requests.delete().where(carrier_requests.c.seen_at < now - KEPT_FOR))
