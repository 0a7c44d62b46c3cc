"""The gateway as a process, for its benchmark: whoever knocks is let in, each leg to the room that its id names."""

import asyncio
import sys
from datetime import UTC, datetime

from prometheus_client import start_http_server

from rymi_server.calls.models import Participant, ParticipantStatus, Role, Transport
from rymi_server.entrypoints.measuring import process_registry
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.serving import new_event_loop
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId, new_uuid
from rymi_server.rooms.access import access_for
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.sdk_events import direct_events
from rymi_server.telephony.bridge.bridge import Bridge
from rymi_server.telephony.bridge.gateway import Gateway
from rymi_server.telephony.bridge.guests import Ending, Guest, Knock
from rymi_server.telephony.bridge.listening import listening
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.room_seat import Access, RoomSeat
from rymi_server.telephony.carriers.twilio.media import TwilioMedia


class OpenDoor:
    async def admit(self, knock: Knock) -> Guest | None:
        call_id, person = CallId(knock.token), ParticipantId(new_uuid())
        participant = Participant(
            id=person,
            call_id=call_id,
            tenant_id=TenantId(new_uuid()),
            role=Role.CUSTOMER,
            transport=Transport.PSTN,
            identity=person,
            status=ParticipantStatus.JOINING,
            metadata={},
            leave_reason=None,
            created_at=datetime.now(UTC),
            joined_at=None,
            left_at=None,
        )
        return Guest(knock.leg_id, call_id, participant.tenant_id, participant)


class NoRecord:
    async def bridged(self, guest: Guest) -> bool:  # noqa: ARG002 - The promise's names.
        return True

    async def unbridged(self, guest: Guest, ending: Ending) -> None:
        """Nobody asks."""


async def run(livekit: LiveKit) -> None:
    registry = process_registry()
    metrics_port = start_http_server(0, registry=registry)[0].server_port
    events = direct_events()

    def seat(guest: Guest, rate: int, bridge: Bridge) -> RoomSeat:
        def access() -> Access:
            return Access(livekit.url, access_for(livekit, guest.participant, datetime.now(UTC))["token"])

        return RoomSeat(events, access, rate, bridge, speaks=True)

    stop = stop_requested()
    gateway = Gateway({"twilio": TwilioMedia}, OpenDoor(), NoRecord(), seat, Measures(registry), most_bridges=500)
    at = listen("127.0.0.1", 0, "none")
    async with listening(gateway, at):
        print(at.getsockname()[1], metrics_port, flush=True)
        await stop.wait()
        await gateway.drain(0, stop)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run(LiveKit(sys.argv[1], sys.argv[1], sys.argv[2], sys.argv[3])))
