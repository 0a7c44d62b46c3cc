"""Delivers what is due at an endpoint, one thing after another, and keeps how each attempt went.

No transaction is open while an answer is awaited. A claim that lapses (the worker was killed) makes a delivery due
again, so its receiver may see it twice, under the same id.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, is_uuid, new_prefixed
from rymi_server.foundation.sealed import CannotOpen, Seal
from rymi_server.queue.enqueue import NewJob, enqueue, enqueue_many
from rymi_server.webhooks import deliveries, store
from rymi_server.webhooks.alerting import ALERT, alert_job
from rymi_server.webhooks.connecting import Reply, Sender
from rymi_server.webhooks.models import SECRET_PURPOSE, Delivery, DeliveryStatus, Endpoint
from rymi_server.webhooks.persistence import (
    AT_ONCE,
    break_until,
    is_broken,
    may_begin,
    may_hold_others_up,
    next_attempt,
)
from rymi_server.webhooks.signing import signed_headers
from rymi_server.webhooks.telling import DELIVER, job_data

log = structlog.get_logger(__name__)

# Longer than any attempt lasts.
_CLAIM = timedelta(seconds=30)
# Then another job goes on, so that a worker that is told to stop need not wait for long.
_LONGEST_JOB_SECONDS = 10
_ALERTS_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Claimed:
    endpoint: Endpoint
    delivery: Delivery
    claim: str


class Deliverer:
    """The job."""

    def __init__(
        self, database: Database, sender: Sender, seal: Seal, clock: Clock, *, sends_mails: bool = False
    ) -> None:
        self._database = database
        self._sender = sender
        self._seal = seal
        self._clock = clock
        self._sends_mails = sends_mails

    async def __call__(self, job: Mapping[str, Any]) -> None:
        endpoint_id, until = job["endpoint_id"], time.monotonic() + _LONGEST_JOB_SECONDS
        while time.monotonic() < until:
            claimed = await self._claim(endpoint_id)
            if claimed is None:
                return
            begun_at, begun = self._clock.now(), time.monotonic()
            reply = await self._attempt(claimed)
            took_ms = round((time.monotonic() - begun) * 1000)
            async with self._database.transaction() as tx:
                await self._keep(tx, claimed, reply, begun_at, took_ms)
        async with self._database.transaction() as tx:
            await enqueue(tx, DELIVER, NewJob(dict(job)))

    async def sweep(self, tx: Transaction) -> None:
        """Make up for lost jobs, give up what cannot be delivered, forget what is old."""
        now = self._clock.now()
        waiting = await deliveries.waiting_anywhere(tx, now)
        await enqueue_many(tx, DELIVER, [NewJob(job_data(*each)) for each in waiting])
        await deliveries.give_up_and_forget(tx, now)

    async def _claim(self, endpoint_id: str) -> _Claimed | None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            endpoint = await store.lock(tx, endpoint_id)
            if endpoint is None or (endpoint.open_until and endpoint.open_until > now):
                return None
            mine, all_of_tenant = await deliveries.under_way(tx, endpoint.tenant_id, endpoint_id, now)
            if not may_begin(endpoint.failures, mine, all_of_tenant):
                return None
            found = await deliveries.claim_next(tx, endpoint_id, now, now + _CLAIM)
            return _Claimed(endpoint, *found) if found else None

    async def _attempt(self, claimed: _Claimed) -> Reply:
        endpoint, delivery = claimed.endpoint, claimed.delivery
        try:
            secret = self._seal.open(endpoint.sealed_secret, owner=endpoint.tenant_id, purpose=SECRET_PURPOSE)
        except CannotOpen as error:
            return Reply(None, None, str(error))
        body = delivery.body.encode()
        headers = {
            "Host": urlsplit(endpoint.url).netloc,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "User-Agent": "Rymi-Webhooks/1",
            "X-Rymi-Delivery": delivery.id,
            **signed_headers(delivery.event, body, secret, self._clock.now()),
        }
        return await self._sender.send(endpoint.url, headers, body)

    async def _keep(self, tx: Transaction, claimed: _Claimed, reply: Reply, begun_at: datetime, took_ms: int) -> None:
        endpoint = await store.lock(tx, claimed.endpoint.id)
        if endpoint is None:  # It was deleted meanwhile, and its deliveries with it.
            return
        now, delivery = self._clock.now(), claimed.delivery
        again_at = None if reply.accepted else next_attempt(delivery.attempts + 1, now)
        if reply.accepted:
            then: dict[str, Any] = {"status": DeliveryStatus.DELIVERED, "finished_at": now, "next_attempt_at": None}
        elif again_at:
            then = {"next_attempt_at": again_at}
        else:
            reason = "last_attempt_failed"
            then = {"status": DeliveryStatus.FAILED, "finished_at": now, "next_attempt_at": None, "reason": reason}
        if not await deliveries.note_attempt(tx, delivery, claimed.claim, reply, begun_at, took_ms, **then):
            return
        if reply.accepted:
            await self._mended(tx, endpoint)
        else:
            await self._failed(tx, endpoint, again_at, now)
        if then.get("status") is DeliveryStatus.FAILED:
            await self._alert(tx, endpoint, delivery, now)
        _, of_tenant = await deliveries.under_way(tx, endpoint.tenant_id, endpoint.id, now)
        if may_hold_others_up(of_tenant):
            others = await deliveries.waiting_of_tenant(tx, endpoint.tenant_id, endpoint.id, now)
            await enqueue_many(tx, DELIVER, [NewJob(job_data(*each)) for each in others])

    async def _mended(self, tx: Transaction, endpoint: Endpoint) -> None:
        if not endpoint.failures:
            return
        await store.change(tx, endpoint.tenant_id, endpoint.id, {"failures": 0, "open_until": None})
        if is_broken(endpoint.failures):
            # What has waited meanwhile goes out as quickly as to any other endpoint.
            more = [NewJob(job_data(endpoint.id, endpoint.tenant_id)) for _ in range(AT_ONCE - 1)]
            await enqueue_many(tx, DELIVER, more)

    async def _failed(self, tx: Transaction, endpoint: Endpoint, again_at: datetime | None, now: datetime) -> None:
        failures = endpoint.failures + 1
        left_alone = break_until(failures, now)
        await store.change(tx, endpoint.tenant_id, endpoint.id, {"failures": failures, "open_until": left_alone})
        if left_alone and not is_broken(endpoint.failures):
            log.warning("webhook_endpoint_broken", endpoint_id=endpoint.id, tenant_id=endpoint.tenant_id)
        for moment in filter(None, (again_at, left_alone)):
            await _deliver_at(tx, endpoint, moment, now)

    async def _alert(self, tx: Transaction, endpoint: Endpoint, delivery: Delivery, now: datetime) -> None:
        """Into the log and the call's events; to the endpoint's `alert_email` where there is a mail server."""
        message = f"Webhook {delivery.event} could not be delivered"
        if is_uuid(delivery.subject):
            await record(tx, CallId(delivery.subject), Source.POST_CALL, message, now, Level.WARNING)
        if endpoint.alerted_at is None or now - endpoint.alerted_at >= _ALERTS_EVERY:
            await store.change(tx, endpoint.tenant_id, endpoint.id, {"alerted_at": now})
            log.error(
                "webhook_delivery_failed",
                endpoint_id=endpoint.id,
                tenant_id=endpoint.tenant_id,
                delivery_id=delivery.id,
                alert_email=endpoint.alert_email,
            )
            if self._sends_mails and endpoint.alert_email:
                await enqueue(tx, ALERT, alert_job(delivery.id, endpoint.tenant_id, now))


async def _deliver_at(tx: Transaction, endpoint: Endpoint, moment: datetime, now: datetime) -> None:
    # A moment later than it is due, so that the job does not find it a little too early.
    delay_ms = max(0, round((moment - now).total_seconds() * 1000)) + 20
    job = NewJob(job_data(endpoint.id, endpoint.tenant_id), id=new_prefixed("job"))
    await enqueue(tx, DELIVER, job, delay_ms=delay_ms)
