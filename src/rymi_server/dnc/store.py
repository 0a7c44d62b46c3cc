"""The Do-Not-Call list in the database. Numbers are E.164 throughout."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.dnc.errors import NotOnDoNotCallList
from rymi_server.dnc.models import DncEntry, dnc_entries
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.pagination import Page, Window


async def block(tx: Transaction, tenant_id: TenantId, phones: Sequence[str], reason: str, now: datetime) -> None:
    """List numbers. One that is listed already keeps its first date and gets the newest reason."""
    if not phones:
        return
    rows = [{"tenant_id": tenant_id, "phone": p, "reason": reason, "opt_out_at": now} for p in sorted(set(phones))]
    adding = insert(dnc_entries).values(rows)
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=[dnc_entries.c.tenant_id, dnc_entries.c.phone], set_={"reason": adding.excluded.reason}
        )
    )


async def unblock(tx: Transaction, tenant_id: TenantId, phone: str) -> None:
    gone = await tx.execute(
        dnc_entries.delete().where(dnc_entries.c.tenant_id == tenant_id, dnc_entries.c.phone == phone)
    )
    if gone.rowcount == 0:
        raise NotOnDoNotCallList


async def listed(tx: Transaction, tenant_id: TenantId, phones: Collection[str]) -> set[str]:
    """Those of `phones` that must not be rung."""
    if not phones:
        return set()
    found = sa.select(dnc_entries.c.phone).where(
        dnc_entries.c.tenant_id == tenant_id, dnc_entries.c.phone.in_(list(phones))
    )
    return set((await tx.execute(found)).scalars())


def is_listed(tenant_id: sa.ColumnElement[Any], phone: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The same of one number, as part of somebody else's look at their own rows."""
    return sa.exists().where(dnc_entries.c.tenant_id == tenant_id, dnc_entries.c.phone == phone)


async def page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[DncEntry]:
    """Newest first."""
    mine = dnc_entries.c.tenant_id == tenant_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(dnc_entries).where(mine))).scalar_one()
    rows = await tx.execute(
        sa.select(dnc_entries.c.phone, dnc_entries.c.reason, dnc_entries.c.opt_out_at)
        .where(mine)
        .order_by(dnc_entries.c.opt_out_at.desc(), dnc_entries.c.phone)
        .limit(window.limit)
        .offset(window.offset)
    )
    return Page([DncEntry(*row) for row in rows], total)
