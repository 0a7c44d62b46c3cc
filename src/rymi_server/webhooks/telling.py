"""Writes down what a tenant's endpoints are to be told, each thing once for each of them, and has it delivered."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.queue.enqueue import NewJob, enqueue_many
from rymi_server.queue.kinds import JobKind
from rymi_server.webhooks.models import DeliveryStatus, Endpoint, News, webhook_deliveries
from rymi_server.webhooks.store import listening

# A job names an endpoint and delivers whatever is due there: what is lost with one job, the next one finds.
DELIVER = JobKind("webhooks", "deliver")


def event_id(*parts: object) -> str:
    """The same for the same thing that happened, so that it is told once and its receiver can see a repeat."""
    return f"evt_{hashlib.blake2b('/'.join(map(str, parts)).encode(), digest_size=16).hexdigest()}"


def body_of(news: News) -> str:
    """What is sent: `type` and `event` are the same, for readers of either."""
    shown = {
        "id": news.event_id,
        "type": news.event,
        "event": news.event,
        "timestamp": instant(news.at),
        "data": news.data,
    }
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


async def tell(tx: Transaction, tenant_id: TenantId, news: Sequence[News], now: datetime) -> None:
    """In the order of `news`. An endpoint is told of what happened since it was registered."""
    endpoints = await listening(tx, tenant_id, [each.event for each in news])
    told = [
        await _write(tx, endpoint, each, now)
        for each in news
        for endpoint in endpoints
        if each.event in endpoint.events and each.at >= endpoint.created_at
    ]
    await deliver_soon(tx, [endpoint for endpoint in endpoints if endpoint.id in set(told)])


async def tell_one(tx: Transaction, endpoint: Endpoint, news: News, now: datetime) -> str:
    """Whatever the endpoint has asked for. Returns the id of the delivery."""
    await _write(tx, endpoint, news, now)
    await deliver_soon(tx, [endpoint])
    known = sa.select(webhook_deliveries.c.id).where(
        webhook_deliveries.c.endpoint_id == endpoint.id, webhook_deliveries.c.event_id == news.event_id
    )
    delivery_id: str = (await tx.execute(known)).scalar_one()
    return delivery_id


async def deliver_soon(tx: Transaction, endpoints: Sequence[Endpoint]) -> None:
    await enqueue_many(tx, DELIVER, [NewJob(job_data(each.id, each.tenant_id)) for each in endpoints])


def job_data(endpoint_id: str, tenant_id: str) -> dict[str, Any]:
    return {"endpoint_id": endpoint_id, "tenant_id": tenant_id}


async def _write(tx: Transaction, endpoint: Endpoint, news: News, now: datetime) -> str | None:
    """The endpoint's id, if this is news to it."""
    written = await tx.execute(
        insert(webhook_deliveries)
        .values(
            id=new_prefixed("dlv"),
            endpoint_id=endpoint.id,
            tenant_id=endpoint.tenant_id,
            event_id=news.event_id,
            event=news.event,
            subject=news.subject,
            body=body_of(news),
            status=DeliveryStatus.PENDING,
            next_attempt_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["endpoint_id", "event_id"])
        .returning(webhook_deliveries.c.endpoint_id)
    )
    told: str | None = written.scalar_one_or_none()
    return told
