"""How far a batch has come."""

from typing import Any

import sqlalchemy as sa

from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import NotFound
from rymi_server.foundation.ids import TenantId


class UnknownBatch(NotFound):
    def __init__(self) -> None:
        super().__init__("Batch not found")


async def progress(tx: Transaction, tenant_id: TenantId, batch_id: str) -> dict[str, Any]:
    counted = (
        sa.select(calls.c.status, calls.c.end_reason, sa.func.count().label("count"))
        .where(calls.c.tenant_id == tenant_id, calls.c.batch_id == batch_id)
        .group_by(calls.c.status, calls.c.end_reason)
    )
    by_status: dict[str, int] = {}
    by_reason: dict[str, int] = {}
    for status, reason, count in await tx.execute(counted):
        by_status[status] = by_status.get(status, 0) + count
        if reason is not None:
            by_reason[reason] = by_reason.get(reason, 0) + count
    if not by_status:
        raise UnknownBatch
    total = sum(by_status.values())
    done = sum(by_status.get(status, 0) for status in OVER)
    return {
        "batch_id": batch_id,
        "status": "completed" if done == total else "running",
        "total": total,
        "done": done,
        "by_status": by_status,
        "by_reason": by_reason,
    }
