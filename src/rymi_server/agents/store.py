"""Agents in the database. A deleted one is kept for the calls that it held, and is found by nobody."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rymi_server.agents.errors import UnknownAgent
from rymi_server.agents.facts import AgentPublished
from rymi_server.agents.models import Agent, agents
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, TenantId, is_uuid, new_uuid
from rymi_server.foundation.pagination import Page, Window
from rymi_server.foundation.statements import Statement
from rymi_server.queue.facts import publish

_COLUMNS = [agents.c[name] for name in ("id", "tenant_id", "name", "agent_role", "config", "created_at", "updated_at")]
_BY_ID = sa.select(*_COLUMNS).where(
    agents.c.id == sa.bindparam("id"), agents.c.tenant_id == sa.bindparam("tenant"), agents.c.deleted_at.is_(None)
)
_FOUND = Statement(_BY_ID)


async def get(tx: Transaction, tenant_id: TenantId, agent_id: str) -> Agent:
    row = None
    if is_uuid(agent_id):
        row = await _FOUND.one_or_none(tx, {"id": agent_id, "tenant": tenant_id})
    if row is None:
        raise UnknownAgent
    return Agent(*row)


async def refuse_never_known(tx: Transaction, tenant_id: TenantId, agent_id: str) -> None:
    """For what is asked about the past: a deleted agent had its calls, one of nobody or of another tenant had not."""
    known = sa.select(agents.c.id).where(agents.c.id == agent_id, agents.c.tenant_id == tenant_id)
    if not is_uuid(agent_id) or (await tx.execute(known)).one_or_none() is None:
        raise UnknownAgent


async def roles_in_use(tx: Transaction, tenant_id: TenantId) -> list[str]:
    """The roles of the tenant's agents, each once."""
    mine = sa.select(agents.c.agent_role).where(agents.c.tenant_id == tenant_id, agents.c.deleted_at.is_(None))
    return list((await tx.execute(mine.distinct().order_by(agents.c.agent_role))).scalars())


async def create(
    tx: Transaction, tenant_id: TenantId, name: str, agent_role: str, config: dict[str, Any], now: datetime
) -> Agent:
    agent = Agent(AgentId(new_uuid()), tenant_id, name, agent_role, config, now, now)
    await tx.execute(
        agents.insert().values(
            id=agent.id,
            tenant_id=tenant_id,
            name=name,
            agent_role=agent_role,
            config=config,
            created_at=now,
            updated_at=now,
        )
    )
    await _published(tx, agent, now)
    return agent


async def update(tx: Transaction, before: Agent, changed: Agent, now: datetime) -> Agent:
    """Saying the same again is no news to anybody."""
    await tx.execute(
        agents.update()
        .where(agents.c.id == changed.id, agents.c.tenant_id == changed.tenant_id)
        .values(name=changed.name, agent_role=changed.agent_role, config=changed.config, updated_at=now)
    )
    if changed != before:
        await _published(tx, changed, now)
    return replace(changed, updated_at=now)


async def _published(tx: Transaction, agent: Agent, now: datetime) -> None:
    await publish(tx, AgentPublished(agent.tenant_id, agent.id, agent.name, agent.agent_role, now.isoformat()))


async def lock(tx: Transaction, tenant_id: TenantId, agent_id: str) -> Agent:
    """As `get`, and nobody else changes the agent until the transaction ends."""
    await get(tx, tenant_id, agent_id)
    row = (await tx.execute(_BY_ID.with_for_update(), {"id": agent_id, "tenant": tenant_id})).one_or_none()
    if row is None:
        raise UnknownAgent
    return Agent(*row)


async def delete(tx: Transaction, tenant_id: TenantId, agent_id: AgentId, now: datetime) -> None:
    await tx.execute(
        agents.update().where(agents.c.id == agent_id, agents.c.tenant_id == tenant_id).values(deleted_at=now)
    )


async def named(tx: Transaction, tenant_id: TenantId, name: str) -> list[Agent]:
    """All that have this name: nothing keeps two from having one."""
    mine = sa.and_(agents.c.tenant_id == tenant_id, agents.c.deleted_at.is_(None), agents.c.name == name)
    return [Agent(*row) for row in await tx.execute(sa.select(*_COLUMNS).where(mine).order_by(agents.c.id))]


async def page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[Agent]:
    """Newest first."""
    mine = sa.and_(agents.c.tenant_id == tenant_id, agents.c.deleted_at.is_(None))
    total = (await tx.execute(sa.select(sa.func.count()).select_from(agents).where(mine))).scalar_one()
    rows = await tx.execute(
        sa.select(*_COLUMNS).where(mine).order_by(agents.c.id.desc()).limit(window.limit).offset(window.offset)
    )
    return Page([Agent(*row) for row in rows], total)
