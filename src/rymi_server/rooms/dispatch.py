"""Has an agent sent into a call's room: one agent a call, and another one where that one was lost.

The sending itself is `rooms/sending.py`, which needs LiveKit's client; whoever only asks for it does not.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rymi_server.calls import agent_runs, store
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.models import Call, ParticipantStatus
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId, new_uuid
from rymi_server.foundation.rows import Called, write
from rymi_server.queue.enqueue import NewJob, adding, enqueue_many
from rymi_server.queue.kinds import Backoff, JobKind

DISPATCH = JobKind("rooms", "dispatch_agent", attempts=10, backoff=Backoff(first_ms=200))
FIRST_RUN = 1


async def enqueue_dispatch(tx: Transaction, call: Call) -> None:
    """Have an agent in the call's room soon after the transaction commits. Asked again, it changes nothing."""
    await write(tx, *dispatching([call]))


def dispatching(calls: Sequence[Call]) -> tuple[Called, ...]:
    """The same, to be written together with the calls."""
    return adding(DISPATCH, [_job(call.id, call.tenant_id, FIRST_RUN) for call in calls])


async def enqueue_successor(tx: Transaction, call: Call, lost: AgentRun, now: datetime) -> None:
    """Send another agent for the one that was lost, and show that one out. The call must be locked."""
    await agent_runs.change(tx, lost, lost_at=now)
    instead = _job(call.id, call.tenant_id, lost.number + 1, call_off=lost.dispatch_id, remove=lost.participant_id)
    await enqueue_many(tx, DISPATCH, [instead])


async def enqueue_untaken(tx: Transaction, call: Call, untaken: AgentRun, now: datetime) -> bool:
    """Send for the agent by another run, because no worker took this one. The call must be locked.

    False where it has come after all. A worker may yet have taken the run that is called off: it is turned away before
    it is told what the call is about. The agent goes by another id from now on, because a LiveKit server removes
    whoever bears the name of one who was called off, up to five seconds later.
    """
    people = await store.participants_of(tx, call.id)
    agent = next((p for p in people if p.id == untaken.participant_id), None)
    if agent is None or agent.status is not ParticipantStatus.JOINING:
        return False
    if not await agent_runs.give_up_unheard(tx, untaken, now):
        return False
    name = ParticipantId(new_uuid())
    await store.put_in_place_of(tx, agent, replace(agent, id=name, identity=name))
    run = await agent_runs.begin_again(tx, untaken, name)
    await enqueue_many(tx, DISPATCH, [_job(call.id, call.tenant_id, run.number, call_off=untaken.dispatch_id)])
    return True


async def enqueue_again(tx: Transaction, call: Call, run: AgentRun, now: datetime) -> None:
    """Try once more what all attempts have failed to do, at most once a minute: LiveKit was away for long."""
    again = _job(call.id, call.tenant_id, run.number, attempt=f"-{int(now.timestamp()) // 60}")
    await enqueue_many(tx, DISPATCH, [again])


def _job(
    call_id: CallId,
    tenant_id: TenantId,
    run: int,
    *,
    call_off: str | None = None,
    remove: ParticipantId | None = None,
    attempt: str = "",
) -> NewJob:
    data = {
        "call_id": call_id,
        "tenant_id": tenant_id,
        "run": run,
        "remove": remove,
        "call_off": call_off,
    }
    return NewJob(data, id=f"dispatch-{call_id}-{run}{attempt}")
