"""Deliveries and their attempts in the database: the next one due, how each went, and what customers look up."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.foundation.pagination import Page, Window
from rymi_server.webhooks.connecting import Reply
from rymi_server.webhooks.errors import DeliveryNotFinished, UnknownDelivery
from rymi_server.webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    webhook_attempts,
    webhook_deliveries,
)
from rymi_server.webhooks.persistence import GIVEN_UP_AFTER

_KEPT_FOR = timedelta(days=30)
_COLUMNS = [webhook_deliveries.c[name] for name in Delivery.__dataclass_fields__]
_ATTEMPT = [webhook_attempts.c[name] for name in Attempt.__dataclass_fields__]

# The oldest that is due and that nothing of the same subject stands before.
_NEXT = sa.text("""
    update webhook_deliveries set claim = :claim, claimed_until = :until where id = (
        select d.id from webhook_deliveries d
        where d.endpoint_id = :endpoint and d.status = 'pending' and d.next_attempt_at <= :now
          and (d.claimed_until is null or d.claimed_until <= :now)
          and not exists (
              select from webhook_deliveries earlier
              where earlier.endpoint_id = d.endpoint_id and earlier.subject = d.subject
                and earlier.status = 'pending' and earlier.sequence < d.sequence
          )
        order by d.next_attempt_at, d.sequence limit 1
    ) returning id
""")
_UNDER_WAY = sa.text("""
    select count(*) filter (where endpoint_id = :endpoint), count(*) from webhook_deliveries
    where tenant_id = :tenant and claimed_until > :now
""")
# Endpoints at which something is due and nobody is at work, so that a lost job, or one that found too much under way,
# is made up for.
_WAITING = """
    select distinct d.endpoint_id, d.tenant_id
    from webhook_deliveries d join webhook_endpoints e on e.id = d.endpoint_id
    where d.status = 'pending' and d.next_attempt_at <= :due and (e.open_until is null or e.open_until <= :now)
      and not exists (
          select from webhook_deliveries busy where busy.endpoint_id = d.endpoint_id and busy.claimed_until > :now
      )
"""
_WAITING_OF_TENANT = sa.text(f"{_WAITING} and d.tenant_id = :tenant and d.endpoint_id <> :endpoint limit 4")
_WAITING_ANYWHERE = sa.text(f"{_WAITING} limit 200")
_GIVE_UP = sa.text("""
    update webhook_deliveries set status = 'failed', reason = 'given_up', finished_at = :now
    where id in (select id from webhook_deliveries where status = 'pending' and next_attempt_at < :before limit 1000)
""")
_FORGET = sa.text("""
    delete from webhook_deliveries where id in (
        select id from webhook_deliveries where created_at < :before and status <> 'pending' limit 5000
    )
""")


async def claim_next(tx: Transaction, endpoint_id: str, now: datetime, until: datetime) -> tuple[Delivery, str] | None:
    """The next delivery and the claim to it. The endpoint must be locked."""
    claim = new_prefixed("claim")
    taken = await tx.execute(_NEXT, {"endpoint": endpoint_id, "now": now, "until": until, "claim": claim})
    delivery_id = taken.scalar_one_or_none()
    if delivery_id is None:
        return None
    row = (await tx.execute(sa.select(*_COLUMNS).where(webhook_deliveries.c.id == delivery_id))).one()
    return _delivery(row), claim


async def under_way(tx: Transaction, tenant_id: str, endpoint_id: str, now: datetime) -> tuple[int, int]:
    """How many deliveries wait for an answer: of the endpoint, and of its tenant."""
    row = (await tx.execute(_UNDER_WAY, {"tenant": tenant_id, "endpoint": endpoint_id, "now": now})).one()
    return row[0], row[1]


async def note_attempt(
    tx: Transaction, delivery: Delivery, claim: str, reply: Reply, begun_at: datetime, took_ms: int, **then: Any
) -> bool:
    """Keep how it went and what comes then. False if the claim has lapsed and somebody else has taken over."""
    mine = webhook_deliveries.c.id == delivery.id, webhook_deliveries.c.claim == claim
    changed = await tx.execute(
        webhook_deliveries.update()
        .where(*mine)
        .values(attempts=delivery.attempts + 1, claim=None, claimed_until=None, **then)
    )
    await tx.execute(
        webhook_attempts.insert().values(
            delivery_id=delivery.id,
            number=delivery.attempts + 1,
            begun_at=begun_at,
            took_ms=took_ms,
            status_code=reply.status_code,
            reply=reply.reply,
            error=reply.error,
        )
    )
    return changed.rowcount > 0


async def waiting_of_tenant(tx: Transaction, tenant_id: str, besides: str, now: datetime) -> list[tuple[str, str]]:
    found = await tx.execute(_WAITING_OF_TENANT, {"tenant": tenant_id, "endpoint": besides, "now": now, "due": now})
    return [(row[0], str(row[1])) for row in found]


async def waiting_anywhere(tx: Transaction, now: datetime) -> list[tuple[str, str]]:
    due = now - timedelta(seconds=5)
    return [(row[0], str(row[1])) for row in await tx.execute(_WAITING_ANYWHERE, {"now": now, "due": due})]


async def give_up_and_forget(tx: Transaction, now: datetime) -> None:
    """What has been due for days and could not be tried is given up; what is old is no longer shown."""
    await tx.execute(_GIVE_UP, {"now": now, "before": now - GIVEN_UP_AFTER})
    await tx.execute(_FORGET, {"before": now - _KEPT_FOR})


async def page(
    tx: Transaction, endpoint_id: str, window: Window, status: DeliveryStatus | None = None
) -> Page[Delivery]:
    """Newest first. Whose endpoint it is has been settled by whoever asks."""
    mine = webhook_deliveries.c.endpoint_id == endpoint_id
    if status is not None:
        mine = sa.and_(mine, webhook_deliveries.c.status == status)
    total = (await tx.execute(sa.select(sa.func.count()).select_from(webhook_deliveries).where(mine))).scalar_one()
    rows = await tx.execute(
        sa.select(*_COLUMNS)
        .where(mine)
        .order_by(webhook_deliveries.c.sequence.desc())
        .limit(window.limit)
        .offset(window.offset)
    )
    return Page([_delivery(row) for row in rows], total)


async def get(tx: Transaction, tenant_id: TenantId, delivery_id: str) -> Delivery:
    mine = webhook_deliveries.c.tenant_id == tenant_id, webhook_deliveries.c.id == delivery_id
    row = (await tx.execute(sa.select(*_COLUMNS).where(*mine))).one_or_none()
    if row is None:
        raise UnknownDelivery
    return _delivery(row)


async def attempts_of(tx: Transaction, delivery_id: str) -> list[Attempt]:
    """In order. Whose delivery it is has been settled by whoever asks."""
    mine = sa.select(*_ATTEMPT).where(webhook_attempts.c.delivery_id == delivery_id)
    return [Attempt(*row) for row in await tx.execute(mine.order_by(webhook_attempts.c.id))]


async def send_again(tx: Transaction, tenant_id: TenantId, delivery_id: str, now: datetime) -> Delivery:
    """The same body under the same event id, with all its attempts before it. One that is still tried is refused."""
    delivery = await get(tx, tenant_id, delivery_id)
    if delivery.status is DeliveryStatus.PENDING:
        raise DeliveryNotFinished
    await tx.execute(
        webhook_deliveries.update()
        .where(webhook_deliveries.c.id == delivery_id, webhook_deliveries.c.status != DeliveryStatus.PENDING)
        .values(status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=now, finished_at=None, reason=None)
    )
    return delivery


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(**{**row._mapping, "status": DeliveryStatus(row.status)})
