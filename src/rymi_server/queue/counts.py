"""How much work waits: BullMQ's own rows, counted by its own definitions."""

from dataclasses import dataclass

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId

_COUNT = sa.text("""
    select count(*) filter (where state in ('waiting', 'delayed')) as waiting,
           count(*) filter (where state = 'active') as active,
           count(*) filter (where state = 'completed') as completed,
           count(*) filter (where state = 'failed') as failed
    from bullmq.job
    where queue = :queue and data ->> 'tenant_id' = :tenant
""")
_BY_QUEUE = sa.text("select queue, state::text, count(*) from bullmq.job group by queue, state")
_LIVE = sa.text("""
    select distinct data ->> :field from bullmq.job
    where queue = :queue and state in ('waiting', 'active', 'delayed') and data ->> :field = any(:values)
""")


@dataclass(frozen=True, slots=True)
class JobCounts:
    """A delayed job waits as well: what is put off by a rate limit has not been lost."""

    waiting: int
    active: int
    completed: int
    failed: int


async def counts_of(tx: Transaction, queue: str, tenant: TenantId) -> JobCounts:
    """The jobs of `tenant` in `queue`."""
    row = (await tx.execute(_COUNT, {"queue": queue, "tenant": tenant})).one()
    return JobCounts(row.waiting, row.active, row.completed, row.failed)


async def counts_by_queue(tx: Transaction) -> dict[tuple[str, str], int]:
    """Every queue's jobs by state, of all tenants: for metrics."""
    return {(queue, state): count for queue, state, count in await tx.execute(_BY_QUEUE)}


async def still_live(tx: Transaction, queue: str, field: str, values: list[str]) -> set[str]:
    """Those of `values` that a job which is still going to run has in `field` of its data, whatever its id is."""
    return set((await tx.execute(_LIVE, {"queue": queue, "field": field, "values": values})).scalars())
