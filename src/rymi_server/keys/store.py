"""API keys in the database, found by digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, KeyId, TenantId, new_prefixed
from rymi_server.foundation.pagination import Page, Window
from rymi_server.keys.errors import KeyAlreadyReplaced, LastKey, UnknownKey
from rymi_server.keys.facts import ApiKeyCreated, ApiKeyRevoked
from rymi_server.keys.models import Audience, Channel, PublishableKey, SecretKey, api_keys, publishable_keys
from rymi_server.queue.facts import publish

# `last_used_at` is for people; to the minute is enough, and most requests then only read.
_USE_IS_NOTED_EVERY = timedelta(minutes=1)

_SECRET = [
    api_keys.c[name] for name in ("id", "tenant_id", "prefix", "label", "created_at", "last_used_at", "revoked_at")
]
_PUBLISHABLE = [
    publishable_keys.c[name]
    for name in (
        *("id", "tenant_id", "agent_id", "prefix", "label", "allowed_channels"),
        *("audience", "default_from_number", "created_at", "last_used_at"),
    )
]
SECRET_BY_DIGEST = sa.select(*_SECRET).where(
    api_keys.c.digest == sa.bindparam("digest"),
    sa.or_(api_keys.c.revoked_at.is_(None), api_keys.c.revoked_at > sa.bindparam("now")),
)
PUBLISHABLE_BY_DIGEST = sa.select(*_PUBLISHABLE).where(
    publishable_keys.c.digest == sa.bindparam("digest"), publishable_keys.c.revoked_at.is_(None)
)


async def secret_by_digest(tx: Transaction, digest: bytes, now: datetime) -> SecretKey | None:
    row = (await tx.execute(SECRET_BY_DIGEST, {"digest": digest, "now": now})).one_or_none()
    return SecretKey(*row) if row else None


async def note_use(tx: Transaction, key: SecretKey | PublishableKey, now: datetime) -> None:
    """Note the time, unless it was noted just now or somebody else is noting it."""
    if key.last_used_at and now - key.last_used_at < _USE_IS_NOTED_EVERY:
        return
    table = api_keys if isinstance(key, SecretKey) else publishable_keys
    free = sa.select(table.c.id).where(table.c.id == key.id).with_for_update(skip_locked=True).scalar_subquery()
    await tx.execute(table.update().where(table.c.id == free).values(last_used_at=now))


async def add_secret(
    tx: Transaction, tenant_id: TenantId, digest: bytes, prefix: str, label: str, now: datetime
) -> SecretKey:
    key = SecretKey(KeyId(new_prefixed("key")), tenant_id, prefix, label, now, None, None)
    values = {"id": key.id, "tenant_id": tenant_id, "digest": digest, "prefix": prefix, "label": label}
    await tx.execute(api_keys.insert().values(**values, created_at=now))
    await publish(tx, ApiKeyCreated(tenant_id, key.id, prefix, label, now.isoformat()))
    return key


async def secret_page(tx: Transaction, tenant_id: TenantId, now: datetime, window: Window) -> Page[SecretKey]:
    """Those that open the door now, newest first."""
    working = _working(tenant_id, now)
    total = (await tx.execute(sa.select(sa.func.count()).select_from(api_keys).where(*working))).scalar_one()
    rows = await tx.execute(
        sa.select(*_SECRET).where(*working).order_by(api_keys.c.id.desc()).limit(window.limit).offset(window.offset)
    )
    return Page([SecretKey(*row) for row in rows], total)


async def revoke_secret(tx: Transaction, tenant_id: TenantId, key_id: KeyId, now: datetime) -> SecretKey:
    """Refuse the last one that lasts: its owner would lock themselves out."""
    # All of them are locked, so that of two revocations at once the second sees what the first left.
    locked = sa.select(*_SECRET).where(*_working(tenant_id, now)).order_by(api_keys.c.id).with_for_update()
    keys = {row.id: SecretKey(*row) for row in await tx.execute(locked)}
    if key_id not in keys:
        raise UnknownKey
    if not any(key.revoked_at is None for key in keys.values() if key.id != key_id):
        raise LastKey
    await tx.execute(api_keys.update().where(api_keys.c.id == key_id).values(revoked_at=now))
    await _tell_revoked(tx, keys[key_id], now)
    return keys[key_id]


async def retire_secret(
    tx: Transaction, tenant_id: TenantId, key_id: KeyId, until: datetime, now: datetime
) -> SecretKey:
    """Let a key that is being replaced work until then, and no longer."""
    mine = sa.select(*_SECRET).where(*_working(tenant_id, now), api_keys.c.id == key_id)
    row = (await tx.execute(mine.with_for_update())).one_or_none()
    if row is None:
        raise UnknownKey
    if row.revoked_at is not None:
        raise KeyAlreadyReplaced
    await tx.execute(api_keys.update().where(api_keys.c.id == key_id).values(revoked_at=until))
    await _tell_revoked(tx, SecretKey(*row), until)
    return SecretKey(*row)


async def _tell_revoked(tx: Transaction, key: SecretKey, at: datetime) -> None:
    await publish(tx, ApiKeyRevoked(key.tenant_id, key.id, key.prefix, key.label, at.isoformat()))


def _working(tenant_id: TenantId, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """A key that was replaced may work for a while yet: then its revocation lies in the future."""
    return api_keys.c.tenant_id == tenant_id, sa.or_(api_keys.c.revoked_at.is_(None), api_keys.c.revoked_at > now)


async def add_publishable(
    tx: Transaction,
    tenant_id: TenantId,
    agent_id: AgentId,
    *,
    digest: bytes,
    prefix: str,
    label: str,
    allowed_channels: frozenset[Channel],
    audience: Audience,
    default_from_number: str | None,
    now: datetime,
) -> PublishableKey:
    key = PublishableKey(
        KeyId(new_prefixed("key")),
        tenant_id,
        agent_id,
        prefix,
        label,
        allowed_channels,
        audience,
        default_from_number,
        now,
        None,
    )
    await tx.execute(
        publishable_keys.insert().values(
            id=key.id,
            tenant_id=tenant_id,
            agent_id=agent_id,
            digest=digest,
            prefix=prefix,
            label=label,
            allowed_channels=sorted(allowed_channels),
            audience=audience,
            default_from_number=default_from_number,
            created_at=now,
        )
    )
    return key


async def publishable_page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[PublishableKey]:
    """Newest first, without those that were revoked."""
    mine = sa.and_(publishable_keys.c.tenant_id == tenant_id, publishable_keys.c.revoked_at.is_(None))
    total = (await tx.execute(sa.select(sa.func.count()).select_from(publishable_keys).where(mine))).scalar_one()
    newest_first = sa.select(*_PUBLISHABLE).where(mine).order_by(publishable_keys.c.id.desc())
    rows = await tx.execute(newest_first.limit(window.limit).offset(window.offset))
    return Page([publishable_key(row) for row in rows], total)


async def revoke_publishable(tx: Transaction, tenant_id: TenantId, key_id: KeyId, now: datetime) -> None:
    revoked = await tx.execute(
        publishable_keys.update()
        .where(
            publishable_keys.c.id == key_id,
            publishable_keys.c.tenant_id == tenant_id,
            publishable_keys.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    if revoked.rowcount == 0:
        raise UnknownKey


def publishable_key(columns: Sequence[Any]) -> PublishableKey:
    """The key whose `columns` were read, in their order."""
    named = dict(zip((column.name for column in _PUBLISHABLE), columns, strict=True))
    channels = frozenset(Channel(channel) for channel in named["allowed_channels"])
    return PublishableKey(**{**named, "allowed_channels": channels, "audience": Audience(named["audience"])})
