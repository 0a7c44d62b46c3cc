"""Measures how well turns were taken in a call, once its recording is there, and keeps the result."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from rymi_server.calls import store, turns
from rymi_server.calls.errors import NotReady
from rymi_server.calls.models import Call
from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import TenantId
from rymi_server.post_call.turn_quality import Heard, quality_of

call_quality = sa.Table(
    "call_quality",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("quality", JSONB, nullable=False),
    sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
)


async def measure(
    tx: Transaction, call: Call, speech: Mapping[str, Sequence[Sequence[int]]] | None, now: datetime
) -> None:
    """`speech` is what `recordings.laying` heard on each side; None where nothing was recorded."""
    heard = None
    if speech is not None:
        people, agent = ([(each[0], each[1]) for each in speech.get(side, ())] for side in ("people", "agent"))
        heard = Heard(people, agent)
    found = quality_of(await turns.of_call(tx, call.id), heard)
    adding = insert(call_quality).values(call_id=call.id, quality=found, measured_at=now)
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["call_id"],
            set_={"quality": adding.excluded.quality, "measured_at": adding.excluded.measured_at},
        )
    )


async def of_call(tx: Transaction, call_id: str) -> tuple[dict[str, Any], datetime] | None:
    """Whose call it is has been settled by whoever asks."""
    row = (await tx.execute(sa.select(call_quality).where(call_quality.c.call_id == call_id))).one_or_none()
    return (row.quality, row.measured_at) if row else None


async def shown(tx: Transaction, tenant_id: TenantId, call_id: str) -> dict[str, Any]:
    """As the API writes it. Raise `NotReady` before it was measured."""
    call = await store.get(tx, tenant_id, call_id)
    measured = await of_call(tx, call.id)
    if measured is None:
        raise NotReady("Quality not yet measured")
    quality, at = measured
    return {"call_id": call.id, "measured_at": at.astimezone(UTC).isoformat()[:-6] + "Z", **quality}
