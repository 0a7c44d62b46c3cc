"""How far each ended call has come on its way to being finished. Knows no step; each notes itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import calls
from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.foundation.statements import Statement

post_call_progress = sa.Table(
    "post_call_progress",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("finalized_at", sa.DateTime(timezone=True)),
    sa.Column("recorded_at", sa.DateTime(timezone=True)),
    sa.Column("settled_at", sa.DateTime(timezone=True)),
    sa.Column("analysed_at", sa.DateTime(timezone=True)),
    sa.Column("done_at", sa.DateTime(timezone=True)),
)


_STEPS = ("finalized", "recorded", "settled", "analysed", "done")
_BEGIN = Statement(
    insert(post_call_progress)
    .values(
        call_id=sa.bindparam("call"),
        tenant_id=sa.bindparam("tenant"),
        begun_at=sa.bindparam("begun"),
        **{f"{step}_at": sa.bindparam(step) for step in _STEPS},
    )
    .on_conflict_do_nothing()
)
_END = Statement(
    post_call_progress.update()
    .where(post_call_progress.c.call_id == sa.bindparam("call"))
    .values({f"{step}_at": sa.func.coalesce(post_call_progress.c[f"{step}_at"], sa.bindparam("at")) for step in _STEPS})
)
_OF_CALL = Statement(sa.select(post_call_progress).where(post_call_progress.c.call_id == sa.bindparam("call")))


@dataclass(frozen=True, slots=True)
class Progress:
    call_id: CallId
    tenant_id: TenantId
    begun_at: datetime
    # The transcript is final. From here on nothing of the call changes by itself.
    finalized_at: datetime | None
    # Its recording is there, or it is clear that there is none.
    recorded_at: datetime | None
    settled_at: datetime | None
    analysed_at: datetime | None
    done_at: datetime | None


async def begin(tx: Transaction, call_id: str, tenant_id: str, now: datetime, *, is_done: bool = False) -> bool:
    """False if it was begun before, which changes nothing. `is_done` is for a call without anything to be done."""
    done_at = now if is_done else None
    row = {"call": call_id, "tenant": tenant_id, "begun": now, **dict.fromkeys(_STEPS, done_at)}
    return await _BEGIN.run(tx, row) > 0


async def of_call(tx: Transaction, call_id: str) -> Progress | None:
    row = await _OF_CALL.one_or_none(tx, {"call": call_id})
    return Progress(*row) if row else None


async def note(tx: Transaction, call_id: str, step: str, now: datetime) -> bool:
    """A step is done. False if it was already."""
    return await _noting(step).run(tx, {"call": call_id, "at": now}) > 0


async def end(tx: Transaction, call_id: str, now: datetime) -> None:
    """All that was not done yet need not be."""
    await _END.run(tx, {"call": call_id, "at": now})


@cache
def _noting(step: str) -> Statement:
    """Made once for each step."""
    column = post_call_progress.c[f"{step}_at"]
    missing = post_call_progress.update().where(post_call_progress.c.call_id == sa.bindparam("call"), column.is_(None))
    return Statement(missing.values({column: sa.bindparam("at")}))


async def forgotten(tx: Transaction, now: datetime, limit: int = 200) -> list[tuple[str, str]]:
    """Calls that ended, and of whose end nobody has begun to take care: (call, tenant)."""
    begun = sa.exists().where(post_call_progress.c.call_id == calls.c.id)
    ended = sa.select(calls.c.id, calls.c.tenant_id).where(
        calls.c.ended_at < now - timedelta(minutes=1),
        calls.c.ended_at > now - timedelta(days=7),
        calls.c.status.in_(OVER),
        ~begun,
    )
    return [(row[0], row[1]) for row in await tx.execute(ended.limit(limit))]


async def unfinished(tx: Transaction, now: datetime, limit: int = 200) -> list[Progress]:
    """Begun a while ago and not done."""
    found = sa.select(post_call_progress).where(
        post_call_progress.c.done_at.is_(None), post_call_progress.c.begun_at < now - timedelta(minutes=2)
    )
    return [Progress(*row) for row in await tx.execute(found.order_by(post_call_progress.c.begun_at).limit(limit))]


async def unrecorded(tx: Transaction, now: datetime, limit: int = 200) -> list[Progress]:
    """Told of without a recording that was still being made then."""
    found = sa.select(post_call_progress).where(
        post_call_progress.c.recorded_at.is_(None),
        post_call_progress.c.done_at < now - timedelta(minutes=2),
    )
    return [Progress(*row) for row in await tx.execute(found.order_by(post_call_progress.c.done_at).limit(limit))]


async def renew(tx: Transaction, call_id: str, step: str, now: datetime) -> None:
    """A step was done again."""
    mine = post_call_progress.c.call_id == call_id
    await tx.execute(post_call_progress.update().where(mine).values({post_call_progress.c[f"{step}_at"]: now}))
