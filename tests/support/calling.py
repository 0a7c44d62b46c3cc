"""Calls in the states that only a room or a phone brings them into."""

from datetime import datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa
from tests.support.asking import CLOCK, Customer

from rymi_server.calls import store
from rymi_server.calls.models import CallStatus, ParticipantStatus, call_participants, calls
from rymi_server.credits.ledger import account_of
from rymi_server.credits.models import Account
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.transcripts.models import transcript_entries


async def everybody_joins(database: Database, call_id: str, *, seconds_ago: float = 0) -> datetime:
    """As if the people had come in that long ago."""
    joined_at = CLOCK.now() - timedelta(seconds=seconds_ago)
    async with database.transaction() as tx:
        await tx.execute(
            call_participants.update()
            .where(call_participants.c.call_id == call_id)
            .values(status=ParticipantStatus.ACTIVE, joined_at=joined_at)
        )
        await store.change(tx, CallId(call_id), status=CallStatus.IN_PROGRESS, started_at=joined_at)
    return joined_at


async def say(database: Database, call_id: str, *lines: tuple[str, str | None, str]) -> None:
    """Transcript lines as the agent would report them: (speaker, identity, text)."""
    async with database.transaction() as tx:
        await tx.execute(
            transcript_entries.insert(),
            [
                {
                    "call_id": call_id,
                    "sequence": index,
                    "told": index,
                    "identity": identity,
                    "speaker": speaker,
                    "text": text,
                    "started_at_ms": index * 1000,
                    "ended_at_ms": index * 1000 + 900,
                    "is_final": True,
                    "source": "runtime",
                }
                for index, (speaker, identity, text) in enumerate(lines)
            ],
        )


async def credit_of(database: Database, customer: Customer) -> Account:
    async with database.transaction() as tx:
        return await account_of(tx, customer.tenant.id)


async def held_by(database: Database, customer: Customer) -> Decimal:
    return (await credit_of(database, customer)).held


async def count_calls(database: Database, customer: Customer) -> int:
    """The rows themselves, not the tally."""
    counted = sa.select(sa.func.count()).select_from(calls).where(calls.c.tenant_id == customer.tenant.id)
    async with database.transaction() as tx:
        return (await tx.execute(counted)).scalar_one()


async def jobs_in(database: Database, queue: str) -> list[str]:
    """The ids of the jobs that wait in a queue."""
    waiting = sa.text("select id from bullmq.job where queue = :queue order by seq")
    async with database.transaction() as tx:
        return list((await tx.execute(waiting, {"queue": queue})).scalars())
