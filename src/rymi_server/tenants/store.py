"""Tenants in the database."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
import structlog

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, is_uuid, new_uuid
from rymi_server.tenants.errors import UnknownTenant
from rymi_server.tenants.models import Tenant, tenants

log = structlog.get_logger(__name__)

_BY_ID = sa.select(tenants).where(tenants.c.id == sa.bindparam("id"))


async def create(tx: Transaction, name: str, plan: str, now: datetime) -> Tenant:
    tenant = Tenant(TenantId(new_uuid()), name, plan, None, None, now)
    await tx.execute(tenants.insert().values(id=tenant.id, name=name, plan=plan, created_at=now))
    return tenant


async def get(tx: Transaction, tenant_id: TenantId) -> Tenant:
    return Tenant(*(await tx.execute(_BY_ID, {"id": tenant_id})).one())


async def find(tx: Transaction, name_or_id: str) -> Tenant:
    """Raise `UnknownTenant` unless exactly one tenant is called so."""
    wanted = tenants.c.id == name_or_id if is_uuid(name_or_id) else tenants.c.name == name_or_id
    rows = (await tx.execute(sa.select(tenants).where(wanted))).all()
    if len(rows) != 1:
        raise UnknownTenant(name_or_id)
    return Tenant(*rows[0])


async def is_named(tx: Transaction, name: str) -> bool:
    """Whether there is a tenant of this name."""
    return (await tx.execute(sa.select(sa.exists().where(tenants.c.name == name)))).scalar_one()


async def every(tx: Transaction) -> list[Tenant]:
    return [Tenant(*row) for row in await tx.execute(sa.select(tenants).order_by(tenants.c.id))]


async def pause(tx: Transaction, tenant_id: TenantId, reason: str | None, now: datetime) -> None:
    await tx.execute(tenants.update().where(tenants.c.id == tenant_id).values(paused_at=now, paused_reason=reason))


async def resume(tx: Transaction, tenant_id: TenantId) -> None:
    await tx.execute(tenants.update().where(tenants.c.id == tenant_id).values(paused_at=None, paused_reason=None))


async def change_plan(tx: Transaction, tenant_id: TenantId, plan: str) -> None:
    await tx.execute(tenants.update().where(tenants.c.id == tenant_id).values(plan=plan))


async def keep_recordings(tx: Transaction, tenant_id: TenantId, days: int | None) -> None:
    await tx.execute(tenants.update().where(tenants.c.id == tenant_id).values(recordings_kept_days=days))


async def set_time_zone(tx: Transaction, tenant_id: TenantId, name: str | None) -> None:
    await tx.execute(tenants.update().where(tenants.c.id == tenant_id).values(time_zone=name))


async def time_zone(tx: Transaction, tenant_id: TenantId) -> tzinfo:
    """UTC where none is set, and where this machine does not know it."""
    name = (await get(tx, tenant_id)).time_zone
    try:
        return ZoneInfo(name) if name else UTC
    except ZoneInfoNotFoundError:
        log.warning("time_zone_unknown", time_zone=name)
        return UTC
