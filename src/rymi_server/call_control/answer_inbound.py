"""Answers a phone call: the number's agent, the gates that every call passes, and a call with the caller in it."""

from datetime import datetime

import sqlalchemy as sa

from rymi_server.agents.post_call_config import resolve
from rymi_server.call_control.admission import Admission, Admitted
from rymi_server.call_control.create import first_event
from rymi_server.call_control.errors import NobodyAnswers
from rymi_server.calls import store as calls
from rymi_server.calls.models import (
    Call,
    CallStatus,
    Direction,
    IntelligenceStatus,
    NewCall,
    Participant,
    ParticipantStatus,
    Role,
    Transport,
)
from rymi_server.events import store as events
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId, LegId, ParticipantId, new_prefixed, new_uuid
from rymi_server.numbers.store import agent_for
from rymi_server.rooms.dispatch import dispatching
from rymi_server.telephony import store as legs
from rymi_server.telephony.carriers.carrier import Incoming
from rymi_server.telephony.models import Connection, Leg, LegStatus
from rymi_server.tenants import store as tenants

HIDDEN = "anonymous"
_ONE_AT_A_TIME = sa.text("select pg_advisory_xact_lock(hashtextextended('incoming:' || :call, 0))")


class InboundAnswerer:
    def __init__(self, admission: Admission, clock: Clock) -> None:
        self._admission = admission
        self._clock = clock

    async def answer(self, tx: Transaction, connection: Connection, incoming: Incoming) -> LegId:
        """The caller's leg. Asked again for the same call it is the same; raise the first refusal otherwise.

        Raise `NobodyAnswers` for a call of another connection's.
        """
        named = f"{connection.provider}:{incoming.provider_call_id}"
        await tx.execute(_ONE_AT_A_TIME, {"call": named})
        known = await legs.at_carrier(tx, connection.provider, incoming.provider_call_id)
        if known:
            # Whoever has an account of their own signs what they like, also the name of a call that is not theirs.
            if known.connection_id != connection.id:
                raise NobodyAnswers
            return known.id
        if not connection.is_active:
            raise NobodyAnswers
        tenant = await tenants.get(tx, connection.tenant_id)
        agent_id = await agent_for(tx, tenant.id, incoming.to_number)
        if agent_id is None:
            raise NobodyAnswers
        admitted = await self._admission.open_gates_for_incoming(tx, tenant, agent_id)
        now = self._clock.now()
        call = _call(connection, admitted, now)
        caller = _caller(call, incoming, now)
        leg = _leg(caller, connection, incoming, now)
        new = NewCall(call, admitted.agent.frozen(), (caller,))
        written = (*calls.rows_of([new]), legs.rows_of([leg]), events.rows_of([first_event(call.id, now)]))
        await self._admission.let_in(tx, tenant, admitted, [call.id], now, *written, *dispatching([call]))
        return leg.id


def _call(connection: Connection, admitted: Admitted, now: datetime) -> Call:
    agent = admitted.agent
    return Call(
        id=CallId(new_uuid()),
        tenant_id=connection.tenant_id,
        agent_id=agent.id,
        direction=Direction.INBOUND,
        status=CallStatus.RINGING,
        end_reason=None,
        metadata={},
        variables={},
        post_call=resolve(agent.config, {}),
        batch_id=None,
        rate_per_minute=admitted.rate_per_minute,
        bill_duration=None,
        total_cost=None,
        intelligence_status=IntelligenceStatus.NOT_STARTED,
        created_at=now,
        started_at=None,
        ended_at=None,
    )


def _caller(call: Call, incoming: Incoming, now: datetime) -> Participant:
    return Participant(
        id=ParticipantId(new_uuid()),
        call_id=call.id,
        tenant_id=call.tenant_id,
        role=Role.CUSTOMER,
        transport=Transport.PSTN,
        identity=incoming.from_number or HIDDEN,
        status=ParticipantStatus.JOINING,
        metadata={},
        leave_reason=None,
        created_at=now,
        joined_at=None,
        left_at=None,
    )


def _leg(caller: Participant, connection: Connection, incoming: Incoming, now: datetime) -> Leg:
    return Leg(
        id=LegId(new_prefixed("leg")),
        call_id=caller.call_id,
        participant_id=caller.id,
        tenant_id=caller.tenant_id,
        provider=connection.provider,
        provider_call_id=incoming.provider_call_id,
        direction=Direction.INBOUND,
        status=LegStatus.RINGING,
        reason=None,
        from_number=incoming.from_number,
        to_number=incoming.to_number,
        bill_duration=None,
        cost=None,
        claimed_at=now,
        created_at=now,
        ended_at=None,
        connection_id=connection.id,
        account=f"{connection.provider}:{connection.account_id}",
        region_url=incoming.region_url,
        heard_at=now,
    )
