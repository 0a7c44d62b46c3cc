"""Says once that all that a call leaves behind is there. Settles the bill first, should that not have happened yet."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.models import Call
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.post_call import progress
from rymi_server.post_call.facts import PostCallCompleted
from rymi_server.post_call.settle import Settler
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.facts import publish
from rymi_server.queue.kinds import Backoff, JobKind

ANNOUNCE = JobKind("post_call", "announce", attempts=10, backoff=Backoff(first_ms=1_000))
# A recording that takes longer (its storage is away) is announced by itself, once it is there.
RECORDING_IS_AWAITED = timedelta(seconds=60)


async def announce_now(tx: Transaction, call: Call) -> None:
    await enqueue(tx, ANNOUNCE, NewJob({"call_id": call.id, "tenant_id": call.tenant_id}))


async def announce_later(tx: Transaction, call: Call) -> None:
    """For when nobody else does: each step that ends the waiting announces as well."""
    job = NewJob({"call_id": call.id, "tenant_id": call.tenant_id}, id=f"announce-late-{call.id}")
    await enqueue(tx, ANNOUNCE, job, delay_ms=int(RECORDING_IS_AWAITED.total_seconds() * 1000) + 100)


def announcer(settler: Settler, clock: Clock) -> Callable[[Transaction, Mapping[str, Any]], Awaitable[None]]:
    """The job: one transaction."""

    async def announce(tx: Transaction, job: Mapping[str, Any]) -> None:
        call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
        so_far = await progress.of_call(tx, call.id)
        now = clock.now()
        if so_far is None or so_far.done_at is not None or so_far.analysed_at is None:
            return
        if so_far.recorded_at is None and now - so_far.begun_at < RECORDING_IS_AWAITED:
            return
        await settler.settle(tx, call)
        await progress.note(tx, call.id, "done", now)
        run = await intelligence.newest_finished(tx, call.id)
        await publish(tx, PostCallCompleted(call.id, call.tenant_id, run[0] if run else None))

    return announce
