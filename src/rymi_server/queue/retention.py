"""How long finished jobs are kept to be looked at: a week, and of each queue the newest so many.

BullMQ would count through all that it keeps each time that a job finishes, so it is told to keep them, and they are
forgotten here every now and then.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction

KEPT_FOR = timedelta(days=7)
KEPT = 10_000

_FORGET = sa.text("""
    with kinds as (select distinct queue, state from bullmq.job where state in ('completed', 'failed')),
    kept as (
        select kinds.queue, kinds.state, greatest(:not_before, coalesce((
            select finished_at_ms from bullmq.job
            where job.queue = kinds.queue and job.state = kinds.state
            order by finished_at_ms desc offset :most limit 1
        ), 0)) as since
        from kinds
    )
    delete from bullmq.job using kept
    where job.queue = kept.queue and job.state = kept.state and job.finished_at_ms <= kept.since
""")


async def forget_finished(tx: Transaction, now: datetime, most: int = KEPT) -> None:
    await tx.execute(_FORGET, {"not_before": int((now - KEPT_FOR).timestamp() * 1000), "most": most})
