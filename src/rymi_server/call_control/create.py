"""Creates calls: each with its participants, its legs, its first event and its dial jobs, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rymi_server.agents.models import Agent
from rymi_server.agents.post_call_config import refuse_invalid, resolve
from rymi_server.call_control.admission import Admission, Admitted
from rymi_server.call_control.seats import Seated, caller_id, seat
from rymi_server.call_control.wanted import Caller, WantedCall
from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import status_on_create
from rymi_server.calls.models import Call, CallStatus, Direction, IntelligenceStatus, NewCall
from rymi_server.events import store as events
from rymi_server.events.models import Event, Level, Source
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, EventId, new_prefixed, new_uuid
from rymi_server.rooms.dispatch import dispatching
from rymi_server.telephony import store as legs
from rymi_server.telephony.dialing import dialing


@dataclass(frozen=True, slots=True)
class CreatedCall:
    call: Call
    agent: dict[str, Any]
    seated: tuple[Seated, ...]


class CallCreator:
    def __init__(self, admission: Admission, clock: Clock) -> None:
        self._admission = admission
        self._clock = clock

    async def create(self, tx: Transaction, caller: Caller, wanted: WantedCall) -> CreatedCall:
        """One call. Raise the first refusal in the documented order; nothing is left behind then."""
        refuse_invalid(wanted.post_call)
        admitted = await self._admission.open_gates(tx, caller, wanted.agent_id, wanted.participants)
        (created,) = await self.write(tx, caller, admitted, [wanted])
        return created

    async def write(
        self, tx: Transaction, caller: Caller, admitted: Admitted, wanted: Sequence[WantedCall]
    ) -> list[CreatedCall]:
        """Calls with one agent, whose gates are open, with their credit and their place: all of them or none.

        What is written is one statement, which is a transaction of its own where there is no other.
        """
        now = self._clock.now()
        default_caller_id = await caller_id(tx, caller, admitted.agent.id, wanted)
        agent, post_calls = admitted.agent.frozen(), _post_calls(admitted.agent, wanted)
        new = [_new(caller, admitted, *each, now) for each in zip(wanted, post_calls, strict=True)]
        created = [
            CreatedCall(call, agent, tuple(seat(call, person, default_caller_id, now) for person in each.participants))
            for call, each in zip(new, wanted, strict=True)
        ]
        dialed = [seated.leg for each in created for seated in each.seated if seated.leg]
        people = [NewCall(each.call, each.agent, tuple(s.participant for s in each.seated)) for each in created]
        first_events = [first_event(each.call.id, now) for each in created]
        # Who only has phones waits for an agent until the first of them is dialed.
        joined = [each.call for each in created if each.call.status is CallStatus.CONNECTING]
        await self._admission.let_in(
            tx,
            caller.tenant,
            admitted,
            [each.call.id for each in created],
            now,
            *(*calls.rows_of(people), legs.rows_of(dialed), events.rows_of(first_events)),
            *(*dialing(dialed), *dispatching(joined)),
        )
        return created


def _post_calls(agent: Agent, wanted: Sequence[WantedCall]) -> list[dict[str, Any]]:
    """One for each call; the same object for those that say the same, so that it is written once."""
    said = {id(each.post_call): each.post_call for each in wanted}
    resolved = {key: resolve(agent.config, post_call) for key, post_call in said.items()}
    return [resolved[id(each.post_call)] for each in wanted]


def _new(caller: Caller, admitted: Admitted, wanted: WantedCall, post_call: dict[str, Any], now: datetime) -> Call:
    return Call(
        id=CallId(new_uuid()),
        tenant_id=caller.tenant.id,
        agent_id=admitted.agent.id,
        direction=Direction.OUTBOUND,
        status=status_on_create([p.transport for p in wanted.participants]),
        end_reason=None,
        metadata=wanted.metadata,
        variables=wanted.variables,
        post_call=post_call,
        batch_id=wanted.batch_id,
        rate_per_minute=admitted.rate_per_minute,
        bill_duration=None,
        total_cost=None,
        intelligence_status=IntelligenceStatus.NOT_STARTED,
        created_at=now,
        started_at=None,
        ended_at=None,
    )


def first_event(call_id: CallId, now: datetime) -> Event:
    return Event(EventId(new_prefixed("evt")), call_id, Level.INFO, Source.LIFECYCLE, "Call created", now)
