"""Tells an agent what it must know before it enters: the call as it was frozen, and what was said before it came.

Here it is decided who is let in: one run at a time, whatever a room server does with those that were called off.
"""

from datetime import datetime

from rymi_server.calls import agent_runs, store
from rymi_server.calls.errors import CallIsOver, RunIsLost
from rymi_server.calls.lifecycle import GONE, OVER
from rymi_server.calls.models import Participant, Role, Transport
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.rooms.naming import room_name
from rymi_server.runtime.briefing import Briefing, Person
from rymi_server.runtime.reports import Line
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.models import Entry


async def briefing(tx: Transaction, tenant_id: TenantId, call_id: str, run: str | None, now: datetime) -> Briefing:
    """`run` is None for an agent that does not say which it is.

    Raise `CallIsOver` where there is nothing left to do, and `RunIsLost` for a run that another one has replaced.
    """
    call = await store.get(tx, tenant_id, call_id)
    if call.status in OVER:
        raise CallIsOver
    if run is not None and not await agent_runs.let_in(tx, call.id, run, now):
        raise RunIsLost
    people = [p for p in await store.participants_of(tx, call.id) if p.role is not Role.AGENT]
    memories = [run.memory for run in await agent_runs.of_call(tx, call.id) if run.memory is not None]
    return Briefing(
        call_id=call.id,
        tenant_id=call.tenant_id,
        room_name=room_name(call.id),
        direction=call.direction.value,
        agent=await store.frozen_agent(tx, call.id),
        variables=call.variables,
        metadata=call.metadata,
        post_call=call.post_call,
        people=tuple(person(each) for each in people if each.status not in GONE),
        clock_started_at=call.clock_started_at,
        said=tuple(_line(entry) for entry in await transcripts.of_call(tx, call.id)),
        memory=memories[-1] if memories else None,
    )


def person(who: Participant) -> Person:
    """Browsers go by the identity that they were given, everybody else by our id."""
    return Person.model_validate(
        {
            "participant_id": who.id,
            "identity": who.identity,
            "room_identity": who.identity if who.transport is Transport.WEBRTC else who.id,
            "role": who.role.value,
            "transport": who.transport.value,
        }
    )


def _line(entry: Entry) -> Line:
    started = entry.started_at_ms or 0
    return Line(
        speaker=entry.speaker.value,
        participant_id=entry.participant_id,
        identity=entry.identity,
        text=entry.text,
        started_at_ms=started,
        ended_at_ms=entry.ended_at_ms or started,
    )
