"""Gives each wanted participant a place in a call: a row, and for a phone the leg that will ring it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rymi_server.call_control.errors import NoCallerId, NotOurNumber
from rymi_server.call_control.wanted import Caller, OwnAgent, WantedCall, WantedParticipant
from rymi_server.calls.models import Call, Direction, Participant, ParticipantStatus, Transport
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, LegId, ParticipantId, new_prefixed, new_uuid
from rymi_server.keys.models import PublishableKey
from rymi_server.numbers.store import default_caller_id, registered_among
from rymi_server.telephony import connection_store as connections
from rymi_server.telephony.models import Leg, LegStatus


@dataclass(frozen=True, slots=True)
class Seated:
    participant: Participant
    leg: Leg | None


async def caller_id(
    tx: Transaction, caller: Caller | OwnAgent, agent_id: AgentId, wanted: Sequence[WantedCall]
) -> str | None:
    """The number for phones that name none; None where none is needed. Raise `NoCallerId` where there is none, and
    `NotOurNumber` where one is named that is not the tenant's."""
    connection = await connections.active_of(tx, caller.tenant.id)
    named = {p.from_number for call in wanted for p in call.participants if p.from_number}
    # Without a carrier nobody can say whose number it is, and nobody is rung either.
    if named and connection:
        known = await connections.caller_ids_among(tx, connection, named)
        if strange := sorted(named - known - await registered_among(tx, caller.tenant.id, named)):
            raise NotOurNumber(strange)
    if not any(needs_caller_id(p) for call in wanted for p in call.participants):
        return None
    if isinstance(caller.key, PublishableKey) and caller.key.default_from_number:
        return caller.key.default_from_number
    number = await connections.caller_id(tx, connection, agent_id) if connection else None
    number = number or await default_caller_id(tx, caller.tenant.id, agent_id)
    if number is None:
        raise NoCallerId
    return number


def needs_caller_id(participant: WantedParticipant) -> bool:
    return participant.transport is Transport.PSTN and participant.from_number is None


def seat(call: Call, wanted: WantedParticipant, default_from: str | None, now: datetime) -> Seated:
    is_phone = wanted.transport is Transport.PSTN
    participant = Participant(
        id=ParticipantId(new_uuid()),
        call_id=call.id,
        tenant_id=call.tenant_id,
        role=wanted.role,
        transport=wanted.transport,
        identity=wanted.identity,
        status=ParticipantStatus.QUEUED if is_phone else ParticipantStatus.JOINING,
        metadata=wanted.metadata,
        leave_reason=None,
        created_at=now,
        joined_at=None,
        left_at=None,
    )
    return Seated(participant, _leg(participant, wanted.from_number or default_from, now) if is_phone else None)


def _leg(participant: Participant, from_number: str | None, now: datetime) -> Leg:
    return Leg(
        id=LegId(new_prefixed("leg")),
        call_id=participant.call_id,
        participant_id=participant.id,
        tenant_id=participant.tenant_id,
        provider=None,
        provider_call_id=None,
        direction=Direction.OUTBOUND,
        status=LegStatus.QUEUED,
        reason=None,
        from_number=from_number,
        to_number=participant.identity,
        bill_duration=None,
        cost=None,
        claimed_at=None,
        created_at=now,
        ended_at=None,
    )
