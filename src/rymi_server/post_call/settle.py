"""Settles the bill of a call that has ended: once, however often it is asked to."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.facts import CallEnded
from rymi_server.calls.lifecycle import connected_seconds
from rymi_server.credits import ledger
from rymi_server.credits.rates import bill
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind

SETTLE = JobKind("post_call", "settle", attempts=10, backoff=Backoff(first_ms=1_000))


async def settle_when_call_ended(tx: Transaction, fact: CallEnded) -> None:
    job = NewJob({"call_id": fact.call_id, "tenant_id": fact.tenant_id}, id=f"settle-{fact.call_id}")
    await enqueue(tx, SETTLE, job)


def settler(clock: Clock) -> Callable[[Transaction, Mapping[str, Any]], Awaitable[None]]:
    """The job: bill by the time that people were connected, at the rate that the call was created with."""

    async def settle(tx: Transaction, job: Mapping[str, Any]) -> None:
        call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
        if call.bill_duration is not None:
            return
        people = await store.participants_of(tx, call.id)
        seconds, cost = bill(connected_seconds(people, call.ended_at or clock.now()), call.rate_per_minute)
        await ledger.settle(tx, call.tenant_id, call.id, cost, clock.now())
        await store.change(tx, call.id, bill_duration=seconds, total_cost=cost)

    return settle
