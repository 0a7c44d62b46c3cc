"""Keeps an agent in every call that has people in it: a successor for one that was lost, and an end to trying.

An agent is lost when the room says that it left, when its machine says that its process died, or when it has not been
heard of for a while. Silence is the slowest of the three.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from rymi_server.call_control.api_presence import reachable_since
from rymi_server.calls import agent_runs, store
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call, EndReason, LeaveReason, Participant, ParticipantStatus, Role
from rymi_server.calls.transitions import end, participant_failed, participant_left
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.rooms.dispatch import enqueue_again, enqueue_successor

log = structlog.get_logger(__name__)

# An agent reports every two seconds, and tries again within five when the API was away.
SILENCE = timedelta(seconds=10)
WORTH_A_WARNING = timedelta(seconds=10)
# A worker has taken it, or our room server keeps the wish until one is free. What nobody took is not waited for
# (`untaken_agents`).
_COMES_WITHIN = timedelta(seconds=25)
_MOST_AGENTS = 6
_AT_A_TIME = 200


async def agent_left(tx: Transaction, call: Call, agent: Participant, reason: LeaveReason, now: datetime) -> None:
    """The room says that an agent has left. The call must be locked."""
    await participant_left(tx, call, agent.id, reason, now)
    call = await store.get(tx, call.tenant_id, call.id)
    serving = await agent_runs.current(tx, call.id)
    if call.status not in OVER and serving and serving.participant_id == agent.id:
        await replace(tx, call, serving, "The agent left the room", now)


async def process_died(tx: Transaction, tenant_id: TenantId, call_id: CallId, run: str, now: datetime) -> None:
    """The machine on which a run lived says that it is gone. Of one that does not serve the call it is no news."""
    call = await store.lock(tx, tenant_id, call_id)
    serving = await agent_runs.current(tx, call.id)
    if call.status not in OVER and serving and serving.run == run and serving.closed_at is None:
        await replace(tx, call, serving, "The agent's process died", now)


async def replace(tx: Transaction, call: Call, lost: AgentRun, because: str, now: datetime) -> None:
    """Send a successor, or end the call where one after the other was lost. The call must be locked."""
    await record(tx, call.id, Source.LIVEKIT, because, now, Level.WARNING)
    log.warning("agent_lost", call_id=call.id)
    if lost.participant_id:
        gone = participant_left if lost.heard_at is not None else participant_failed
        await gone(tx, call, lost.participant_id, LeaveReason.CONNECTION_LOST, now)
    if await _agents_sent_for(tx, call) >= _MOST_AGENTS:
        await agent_runs.change(tx, lost, lost_at=now)
        await end(tx, call, EndReason.AGENT_LOST, now)
        return
    await enqueue_successor(tx, call, lost, now)


async def _agents_sent_for(tx: Transaction, call: Call) -> int:
    """Without the runs that no worker took: nobody has died by them."""
    return sum(run.participant_id is not None for run in await agent_runs.of_call(tx, call.id))


def without_agent_since(waiting_since: datetime, runs: Sequence[AgentRun]) -> datetime:
    """Since when people have had no agent; they have been there since `waiting_since`. `runs` are the call's."""
    heard = [run.heard_at for run in runs if run.heard_at is not None]
    return max([waiting_since, *(heard or [runs[0].created_at])])


class LostAgents:
    """The sweep: calls with people whose agent is silent or never came."""

    def __init__(self, database: Database, clock: Clock, wait: timedelta) -> None:
        """People are left without an agent for `wait`, and no longer."""
        self._database = database
        self._clock = clock
        self._wait = wait

    async def sweep(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            worrying = await agent_runs.worrying(tx, now - SILENCE, now - WORTH_A_WARNING, _AT_A_TIME)
        for call_id in worrying:
            async with self._database.transaction() as tx:
                call = await store.lock_by_room(tx, call_id)
                if call is not None and call.status not in OVER:
                    await self._look_after(tx, call)

    async def _look_after(self, tx: Transaction, call: Call) -> None:
        now = self._clock.now()
        serving = await agent_runs.current(tx, call.id)
        heard_since = await reachable_since(tx, now)
        if serving is None or heard_since is None:
            return
        people = [p for p in await store.participants_of(tx, call.id) if p.role is not Role.AGENT]
        waiting_since = min(
            (p.joined_at for p in people if p.status is ParticipantStatus.ACTIVE and p.joined_at), default=None
        )
        if serving.heard_at is not None:
            # The end of its run is its last word, and so is silence, if there was somebody to hear it.
            if serving.closed_at is None and now - max(serving.heard_at, heard_since) >= SILENCE:
                await replace(tx, call, serving, "Nothing was heard of the agent", now)
        elif serving.dispatch_id is None and now - serving.created_at >= self._wait:
            await enqueue_again(tx, call, serving, now)
        elif waiting_since is not None:
            since = without_agent_since(waiting_since, await agent_runs.of_call(tx, call.id))
            await self._is_missed(tx, call, serving, since)

    async def _is_missed(self, tx: Transaction, call: Call, serving: AgentRun, since: datetime) -> None:
        """People are there and no agent is."""
        now = self._clock.now()
        if now - since >= self._wait:
            await record(tx, call.id, Source.LIVEKIT, "No agent came", now, Level.ERROR)
            await end(tx, call, EndReason.AGENT_LOST, now)
        elif serving.dispatched_at and now - serving.dispatched_at >= _COMES_WITHIN:
            await replace(tx, call, serving, "The agent that was called did not come", now)
        elif now - since >= WORTH_A_WARNING and not serving.missed:
            await agent_runs.change(tx, serving, missed=True)
            await record(tx, call.id, Source.LIVEKIT, "People are waiting, and no agent has come", now, Level.WARNING)
            log.warning("agent_missing", call_id=call.id)
