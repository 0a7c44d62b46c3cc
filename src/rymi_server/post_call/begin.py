"""What is done the moment a call has ended: its end is written down, and the first steps of many are queued.

A call that nobody came into leaves nothing behind, so all is done with it at once; unless its agent was there and may
yet tell more.
"""

from rymi_server.calls import agent_runs, store
from rymi_server.calls.facts import AgentClosed, CallEnded
from rymi_server.calls.models import Call, CallStatus, IntelligenceStatus
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.rows import write
from rymi_server.post_call import progress
from rymi_server.post_call.settle import SETTLE, settle_unused
from rymi_server.post_call.wishes import wants_analysis, wants_recording
from rymi_server.queue.enqueue import NewJob, adding, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.recordings import store as recordings
from rymi_server.recordings.models import RecordingStatus

FINALIZE = JobKind("post_call", "finalize", attempts=10, backoff=Backoff(first_ms=1_000))


async def begin_when_call_ended(tx: Transaction, fact: CallEnded) -> None:
    await begin(tx, await store.lock(tx, TenantId(fact.tenant_id), fact.call_id))


async def go_on_when_agent_closed(tx: Transaction, fact: AgentClosed) -> None:
    """What was waiting for the agent's last word need not look again by itself."""
    data = {"call_id": fact.call_id, "tenant_id": fact.tenant_id}
    await enqueue(tx, FINALIZE, NewJob(data, id=f"finalize-{fact.call_id}-{fact.run}"))


async def begin(tx: Transaction, call: Call) -> None:
    """Once for each call; again it changes nothing. The call must be locked and over."""
    if call.status is CallStatus.FAILED:
        await _put_away(tx, call)
        return
    assert call.ended_at is not None
    if await progress.begin(tx, call.id, call.tenant_id, call.ended_at):
        await _show_what_comes(tx, call)
    settle = NewJob(_job_of(call), id=f"settle-{call.id}")
    await write(tx, *adding(SETTLE, [settle]), *adding(FINALIZE, [_finalize(call)]))


async def _put_away(tx: Transaction, call: Call) -> None:
    assert call.ended_at is not None
    waits = await agent_runs.still_reporting(tx, call.id, call.ended_at)
    if await progress.begin(tx, call.id, call.tenant_id, call.ended_at, is_done=not waits):
        await settle_unused(tx, call)
        if waits:
            await enqueue(tx, FINALIZE, _finalize(call))


async def _show_what_comes(tx: Transaction, call: Call) -> None:
    assert call.ended_at is not None
    expected = RecordingStatus.PENDING if wants_recording(call) else RecordingStatus.DISABLED
    await recordings.put(tx, call.id, expected, {}, call.ended_at)
    if wants_analysis(call, await store.frozen_agent(tx, call.id)):
        await store.change(tx, call.id, intelligence_status=IntelligenceStatus.PENDING)


def _finalize(call: Call) -> NewJob:
    return NewJob(_job_of(call), id=f"finalize-{call.id}")


def _job_of(call: Call) -> dict[str, str]:
    return {"call_id": call.id, "tenant_id": call.tenant_id}
