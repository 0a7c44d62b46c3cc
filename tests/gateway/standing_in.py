"""Keepers of the bridge's promises that need no database: a test says whose token opens what, and reads what came."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from rymi_server.calls.models import Participant, ParticipantStatus, Role, Transport
from rymi_server.foundation.ids import CallId, LegId, ParticipantId, TenantId, new_uuid
from rymi_server.telephony.bridge.guests import Ending, Guest, Knock


def new_guest(call_id: CallId, role: Role = Role.CUSTOMER) -> Guest:
    tenant, person = TenantId(new_uuid()), ParticipantId(new_uuid())
    participant = Participant(
        id=person,
        call_id=call_id,
        tenant_id=tenant,
        role=role,
        transport=Transport.PSTN,
        identity="+12025550123",
        status=ParticipantStatus.JOINING,
        metadata={},
        leave_reason=None,
        created_at=datetime.now(UTC),
        joined_at=None,
        left_at=None,
    )
    return Guest(LegId(f"leg_{person}"), call_id, tenant, participant)


@dataclass
class TestDoor:
    __test__ = False

    guests: dict[str, Guest] = field(default_factory=dict)
    knocks: list[Knock] = field(default_factory=list)

    async def admit(self, knock: Knock) -> Guest | None:
        self.knocks.append(knock)
        return self.guests.get(knock.token)


@dataclass
class Ledger:
    is_wanted: bool = True
    bridged_legs: list[str] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)

    async def bridged(self, guest: Guest) -> bool:
        self.bridged_legs.append(guest.leg_id)
        return self.is_wanted

    async def unbridged(self, guest: Guest, ending: Ending) -> None:
        self.endings[guest.leg_id] = ending
