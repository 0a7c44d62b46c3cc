"""Has an agent sent into a call's room: one agent a call, and another one where that one was lost.

The sending itself is `rooms/sending.py`, which needs LiveKit's client; whoever only asks for it does not.
"""

from collections.abc import Sequence
from datetime import datetime

from rymi_server.calls import agent_runs
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.models import Call
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, TenantId
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
    await enqueue_many(tx, DISPATCH, [_job(call.id, call.tenant_id, lost.number + 1, instead_of=lost)])


async def enqueue_again(tx: Transaction, call: Call, run: AgentRun, now: datetime) -> None:
    """Try once more what all attempts have failed to do, at most once a minute: LiveKit was away for long."""
    again = _job(call.id, call.tenant_id, run.number, attempt=f"-{int(now.timestamp()) // 60}")
    await enqueue_many(tx, DISPATCH, [again])


def _job(
    call_id: CallId, tenant_id: TenantId, run: int, *, instead_of: AgentRun | None = None, attempt: str = ""
) -> NewJob:
    data = {
        "call_id": call_id,
        "tenant_id": tenant_id,
        "run": run,
        "remove": instead_of and instead_of.participant_id,
        "call_off": instead_of and instead_of.dispatch_id,
    }
    return NewJob(data, id=f"dispatch-{call_id}-{run}{attempt}")
