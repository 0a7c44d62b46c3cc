"""Moves money. Every movement is one row in the ledger, made once however often it is asked for."""

from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.credits.errors import InsufficientCredits
from rymi_server.credits.models import Account, Entry, Movement, credit_accounts, credit_entries
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.foundation.pagination import Page, Window
from rymi_server.foundation.statements import Statement

_RELEASE = Statement(
    sa.text("""
    with released as (delete from credit_holds where call_id = cast(:call as uuid) returning amount)
    update credit_accounts set held = held - released.amount
    from released where tenant_id = cast(:tenant as uuid)
""")
)


async def open_account(tx: Transaction, tenant_id: TenantId) -> None:
    await tx.execute(insert(credit_accounts).values(tenant_id=tenant_id).on_conflict_do_nothing())


async def account_of(tx: Transaction, tenant_id: TenantId) -> Account:
    row = await tx.execute(
        sa.select(credit_accounts.c.balance, credit_accounts.c.held).where(credit_accounts.c.tenant_id == tenant_id)
    )
    return Account(*row.one())


async def grant(
    tx: Transaction, tenant_id: TenantId, amount: Decimal, *, reference: str, note: str, now: datetime
) -> Account:
    """Add credit (or take it back, with a negative amount)."""
    await _move(tx, tenant_id, Movement.GRANT, amount, call_id=None, reference=reference, note=note, now=now)
    return await account_of(tx, tenant_id)


async def refuse_spent(tx: Transaction, tenant_id: TenantId) -> None:
    """For what widens a call that is held for already."""
    account = await account_of(tx, tenant_id)
    if account.balance <= 0:
        raise InsufficientCredits(Decimal(0), account.balance)


async def settle(tx: Transaction, tenant_id: TenantId, call_id: CallId, cost: Decimal, now: datetime) -> None:
    """Give back what the call held and charge what it cost. Settling again changes nothing."""
    await release(tx, tenant_id, call_id)
    if cost:
        reference = f"call:{call_id}"
        await _move(tx, tenant_id, Movement.SETTLEMENT, -cost, call_id=call_id, reference=reference, note="", now=now)


async def release(tx: Transaction, tenant_id: TenantId, call_id: CallId) -> None:
    """Give back what the call held, if it still holds anything."""
    await _RELEASE.run(tx, {"tenant": tenant_id, "call": call_id})


async def entries(tx: Transaction, tenant_id: TenantId, limit: int, offset: int = 0) -> list[Entry]:
    """The newest movements first."""
    columns = [credit_entries.c[name] for name in ("kind", "amount", "balance_after", "call_id", "reference", "note")]
    rows = await tx.execute(
        sa.select(*columns, credit_entries.c.created_at)
        .where(credit_entries.c.tenant_id == tenant_id)
        .order_by(credit_entries.c.created_at.desc(), credit_entries.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Entry(**{**row._mapping, "kind": Movement(row.kind)}) for row in rows]


async def page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[Entry]:
    """The newest movements first."""
    counted = sa.select(sa.func.count()).select_from(credit_entries).where(credit_entries.c.tenant_id == tenant_id)
    return Page(await entries(tx, tenant_id, window.limit, window.offset), (await tx.execute(counted)).scalar_one())


async def charged_since(tx: Transaction, tenant_id: TenantId, since: datetime) -> Decimal:
    """What calls have cost since then."""
    charged = sa.select(sa.func.coalesce(-sa.func.sum(credit_entries.c.amount), 0)).where(
        credit_entries.c.tenant_id == tenant_id,
        credit_entries.c.created_at >= since,
        credit_entries.c.kind == Movement.SETTLEMENT,
    )
    return Decimal((await tx.execute(charged)).scalar_one())


async def _move(
    tx: Transaction,
    tenant_id: TenantId,
    kind: Movement,
    amount: Decimal,
    *,
    call_id: CallId | None,
    reference: str,
    note: str,
    now: datetime,
) -> None:
    balance = (
        await tx.execute(
            sa.select(credit_accounts.c.balance).where(credit_accounts.c.tenant_id == tenant_id).with_for_update()
        )
    ).scalar_one()
    made = await tx.execute(
        insert(credit_entries)
        .values(
            tenant_id=tenant_id,
            kind=kind,
            amount=amount,
            balance_after=balance + amount,
            call_id=call_id,
            reference=reference,
            note=note,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "reference"])
        .returning(credit_entries.c.id)
    )
    if made.one_or_none() is not None:
        await tx.execute(
            credit_accounts.update()
            .where(credit_accounts.c.tenant_id == tenant_id)
            .values(balance=credit_accounts.c.balance + amount)
        )
