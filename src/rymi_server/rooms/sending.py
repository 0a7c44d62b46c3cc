"""Sends agents into rooms.

The run is written down before LiveKit is asked, and LiveKit is asked what it knows before it is asked again, so that a
job that runs twice does not bring two agents.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from rymi_server.calls import agent_runs, store
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call, Participant, ParticipantStatus, Role, Transport
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId, new_uuid
from rymi_server.foundation.rows import write
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.rooms.dispatch import FIRST_RUN
from rymi_server.rooms.naming import room_name
from rymi_server.rooms.server import RoomServer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AgentCalling:
    """How agents are called: the name that their workers go by, and where they find us."""

    agent_name: str
    api_url: str
    passes: AgentPasses


class AgentDispatcher:
    """Does the jobs."""

    def __init__(self, database: Database, clock: Clock, server: RoomServer, calling: AgentCalling) -> None:
        self._database = database
        self._clock = clock
        self._server = server
        self._calling = calling

    async def __call__(self, job: Mapping[str, Any]) -> None:
        room = room_name(CallId(job["call_id"]))
        async with self._database.transaction() as tx:
            call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
            run, is_new = await self._wanted_run(tx, call, job["run"])
        if job.get("call_off"):
            # LiveKit may still be looking for somebody to take it.
            await self._server.call_off(room, job["call_off"])
        if job.get("remove"):
            await self._server.show_out(room, job["remove"])
        if run is None:
            return
        async with self._database.transaction() as tx:
            # Of two jobs for one run the second waits here, and sees that it was sent.
            if not await agent_runs.lock_unsent(tx, run):
                return
            sent = None if is_new else await self._sent_before(room, run)
            dispatch_id = sent or await self._send(room, call, run)
            await agent_runs.change(tx, run, dispatch_id=dispatch_id, dispatched_at=self._clock.now())
        log.info("agent_dispatched", call_id=call.id)

    async def _wanted_run(self, tx: Transaction, call: Call, number: int) -> tuple[AgentRun | None, bool]:
        """The run to be sent, and whether it begins here, so that no earlier attempt can have sent it.

        None where the call is over, or where it was sent already or lost since.
        """
        if call.status in OVER:
            return None, False
        runs = {run.number: run for run in await agent_runs.of_call(tx, call.id)}
        if number not in runs:
            return await self._begin(tx, call, number), True
        run = runs[number]
        return (None if run.dispatch_id or run.lost_at else run), False

    async def _begin(self, tx: Transaction, call: Call, number: int) -> AgentRun:
        now = self._clock.now()
        agent = _agent_of(call, now)
        await write(tx, store.participant_rows([agent]))
        said = "Agent called" if number == FIRST_RUN else "Another agent called"
        await record(tx, call.id, Source.LIVEKIT, said, now)
        return await agent_runs.begin(tx, call.id, number, agent.id, now)

    async def _sent_before(self, room: str, run: AgentRun) -> str | None:
        """By an attempt whose answer was lost."""
        sent = await self._server.agents_sent(room)
        return next((each.id for each in sent if _run_in(each.metadata) == run.run), None)

    async def _send(self, room: str, call: Call, run: AgentRun) -> str:
        metadata = {
            "call_id": call.id,
            "run": run.run,
            "participant_id": run.participant_id,
            "api_url": self._calling.api_url,
            "token": self._calling.passes.issue(call.id, call.tenant_id, self._clock.now()),
        }
        return await self._server.send_agent(room, self._calling.agent_name, json.dumps(metadata))


def _agent_of(call: Call, now: datetime) -> Participant:
    """The agent's row. Like a phone it is known in the room by the row's id."""
    participant_id = ParticipantId(new_uuid())
    return Participant(
        id=participant_id,
        call_id=call.id,
        tenant_id=call.tenant_id,
        role=Role.AGENT,
        transport=Transport.INTERNAL,
        identity=participant_id,
        status=ParticipantStatus.JOINING,
        metadata={},
        leave_reason=None,
        created_at=now,
        joined_at=None,
        left_at=None,
    )


def _run_in(metadata: str) -> str | None:
    try:
        found = json.loads(metadata)
    except ValueError:
        return None
    return found.get("run") if isinstance(found, dict) else None
