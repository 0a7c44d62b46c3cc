"""Webhook endpoints in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, WebhookId, new_prefixed
from rymi_server.foundation.pagination import Page, Window
from rymi_server.webhooks.errors import TooManyWebhooks, UnknownWebhook
from rymi_server.webhooks.models import Endpoint, webhook_endpoints


async def add(
    tx: Transaction,
    tenant_id: TenantId,
    url: str,
    events: Sequence[str],
    sealed_secret: bytes,
    alert_email: str | None,
    now: datetime,
) -> Endpoint:
    webhook_id = WebhookId(new_prefixed("wh"))
    endpoint = Endpoint(webhook_id, tenant_id, url, tuple(events), sealed_secret, alert_email, now)
    await tx.execute(
        webhook_endpoints.insert().values(
            id=webhook_id,
            tenant_id=tenant_id,
            url=url,
            events=list(events),
            sealed_secret=sealed_secret,
            alert_email=alert_email,
            created_at=now,
        )
    )
    return endpoint


async def refuse_too_many(tx: Transaction, tenant_id: TenantId, most: int) -> None:
    """Raise `TooManyWebhooks` where there is no room for one more."""
    mine = webhook_endpoints.c.tenant_id == tenant_id
    count = (await tx.execute(sa.select(sa.func.count()).select_from(webhook_endpoints).where(mine))).scalar_one()
    if count >= most:
        raise TooManyWebhooks(most)


async def change(tx: Transaction, tenant_id: TenantId, webhook_id: str, values: dict[str, Any]) -> Endpoint:
    """Set the columns that are named in `values`, if any."""
    mine = webhook_endpoints.c.tenant_id == tenant_id, webhook_endpoints.c.id == webhook_id
    if values:
        await tx.execute(webhook_endpoints.update().where(*mine).values(**values))
    row = (await tx.execute(sa.select(webhook_endpoints).where(*mine))).one_or_none()
    if row is None:
        raise UnknownWebhook
    return _endpoint(row)


async def remove(tx: Transaction, tenant_id: TenantId, webhook_id: str) -> None:
    gone = await tx.execute(
        webhook_endpoints.delete().where(
            webhook_endpoints.c.tenant_id == tenant_id, webhook_endpoints.c.id == webhook_id
        )
    )
    if gone.rowcount == 0:
        raise UnknownWebhook


async def get(tx: Transaction, tenant_id: TenantId, webhook_id: str) -> Endpoint:
    return await change(tx, tenant_id, webhook_id, {})


async def listening(tx: Transaction, tenant_id: TenantId, events: Sequence[str]) -> list[Endpoint]:
    """Those that want to hear of any of `events`."""
    wanted = webhook_endpoints.c.events.overlap(list(events))
    rows = await tx.execute(
        sa.select(webhook_endpoints)
        .where(webhook_endpoints.c.tenant_id == tenant_id, wanted)
        .order_by(webhook_endpoints.c.id)
    )
    return [_endpoint(row) for row in rows]


async def lock(tx: Transaction, endpoint_id: str) -> Endpoint | None:
    """Only this transaction begins or ends a delivery there until it is over. Asked for by jobs, for any tenant."""
    found = sa.select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).with_for_update()
    row = (await tx.execute(found)).one_or_none()
    return _endpoint(row) if row else None


async def page(tx: Transaction, tenant_id: TenantId, window: Window) -> Page[Endpoint]:
    """Newest first."""
    mine = webhook_endpoints.c.tenant_id == tenant_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(webhook_endpoints).where(mine))).scalar_one()
    newest_first = sa.select(webhook_endpoints).where(mine).order_by(webhook_endpoints.c.id.desc())
    rows = await tx.execute(newest_first.limit(window.limit).offset(window.offset))
    return Page([_endpoint(row) for row in rows], total)


def _endpoint(row: sa.Row[Any]) -> Endpoint:
    return Endpoint(**{**row._mapping, "events": tuple(row.events)})
