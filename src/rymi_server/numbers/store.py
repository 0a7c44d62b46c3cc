"""Registered numbers in the database, always as E.164."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, TenantId, new_prefixed
from rymi_server.foundation.pagination import Page, Window
from rymi_server.numbers.errors import NumberTaken, UnknownNumber
from rymi_server.numbers.facts import NumberAssigned
from rymi_server.numbers.models import PhoneNumber, phone_numbers
from rymi_server.queue.facts import publish


async def register(
    tx: Transaction, tenant_id: TenantId, number: str, agent_id: AgentId | None, now: datetime
) -> tuple[PhoneNumber, bool]:
    """The number, and whether it is new. Registering one's own again only changes the agent, if one is given."""
    number_id = new_prefixed("num")
    adding = insert(phone_numbers).values(
        id=number_id, tenant_id=tenant_id, number=number, agent_id=agent_id, created_at=now
    )
    # Setting the number to itself locks and returns the row that is there, in the one statement that found it.
    adding = adding.on_conflict_do_update(index_elements=["number"], set_={"number": adding.excluded.number})
    found = PhoneNumber(*(await tx.execute(adding.returning(*phone_numbers.c))).one())
    if found.tenant_id != tenant_id:
        raise NumberTaken
    is_new = found.id == number_id
    if is_new and agent_id is not None:
        await publish(tx, NumberAssigned(tenant_id, number, agent_id, now.isoformat()))
    if not is_new and agent_id is not None:
        return await attach(tx, tenant_id, number, agent_id, now), False
    return found, is_new


async def attach(tx: Transaction, tenant_id: TenantId, number: str, agent_id: AgentId, now: datetime) -> PhoneNumber:
    changed = await tx.execute(
        phone_numbers.update()
        .where(phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.number == number)
        .values(agent_id=agent_id)
        .returning(*phone_numbers.c)
    )
    row = changed.one_or_none()
    if row is None:
        raise UnknownNumber
    await publish(tx, NumberAssigned(tenant_id, number, agent_id, now.isoformat()))
    return PhoneNumber(*row)


async def remove(tx: Transaction, tenant_id: TenantId, number: str) -> None:
    gone = await tx.execute(
        phone_numbers.delete().where(phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.number == number)
    )
    if gone.rowcount == 0:
        raise UnknownNumber


async def detach_agent(tx: Transaction, tenant_id: TenantId, agent_id: AgentId) -> None:
    """An agent that is deleted answers no number any more."""
    await tx.execute(
        phone_numbers.update()
        .where(phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.agent_id == agent_id)
        .values(agent_id=None)
    )


async def answered_numbers(tx: Transaction, tenant_id: TenantId) -> set[str]:
    """Numbers that an agent answers."""
    found = sa.select(phone_numbers.c.number).where(
        phone_numbers.c.tenant_id == tenant_id,
        phone_numbers.c.agent_id.is_not(None),
        phone_numbers.c.status == "active",
    )
    return set((await tx.execute(found)).scalars())


async def agent_for(tx: Transaction, tenant_id: TenantId, number: str) -> AgentId | None:
    """Who answers a number, if anybody does."""
    found = sa.select(phone_numbers.c.agent_id).where(
        phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.number == number, phone_numbers.c.status == "active"
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[PhoneNumber]:
    """Oldest first."""
    mine = phone_numbers.c.tenant_id == tenant_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(phone_numbers).where(mine))).scalar_one()
    rows = await tx.execute(
        sa.select(phone_numbers).where(mine).order_by(phone_numbers.c.id).limit(window.limit).offset(window.offset)
    )
    return Page([PhoneNumber(*row) for row in rows], total)


async def registered_among(tx: Transaction, tenant_id: TenantId, numbers: Collection[str]) -> set[str]:
    """Those of `numbers` that the tenant has registered."""
    mine = sa.select(phone_numbers.c.number).where(
        phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.number.in_(numbers)
    )
    return set((await tx.execute(mine)).scalars())


async def default_caller_id(tx: Transaction, tenant_id: TenantId, agent_id: AgentId) -> str | None:
    """The number that calls go out from when nobody names one: the agent's own, else the tenant's first."""
    mine = sa.select(phone_numbers.c.number).where(
        phone_numbers.c.tenant_id == tenant_id, phone_numbers.c.status == "active"
    )
    own_first = sa.case((phone_numbers.c.agent_id == agent_id, 0), else_=1)
    return (await tx.execute(mine.order_by(own_first, phone_numbers.c.id).limit(1))).scalar_one_or_none()
