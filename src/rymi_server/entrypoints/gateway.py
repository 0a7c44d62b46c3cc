"""`rymi gateway`: carriers' media sockets as a process. Each phone joins its room as the participant it is."""

import asyncio
import dataclasses
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import structlog
from prometheus_client import CollectorRegistry

from rymi_server.calls.models import Role
from rymi_server.entrypoints.carriers import connections_of
from rymi_server.entrypoints.health_page import health_page
from rymi_server.entrypoints.measuring import process_registry
from rymi_server.entrypoints.measuring_database import measure_database
from rymi_server.entrypoints.outcome import outcome
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.readiness import readiness_of
from rymi_server.entrypoints.serving import new_event_loop
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.tracing import trace_to
from rymi_server.foundation.clock import Clock, SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.logs import configure_logs
from rymi_server.http.health import health_routes
from rymi_server.rooms.access import access_for
from rymi_server.rooms.sdk_events import DirectedEvents, direct_events
from rymi_server.rooms.sdk_proxies import reach_rooms_directly
from rymi_server.telephony.bridge.bridge import Bridge
from rymi_server.telephony.bridge.gateway import Gateway
from rymi_server.telephony.bridge.guests import Guest
from rymi_server.telephony.bridge.leg_door import LegDoor
from rymi_server.telephony.bridge.leg_record import LegRecord
from rymi_server.telephony.bridge.listening import listening
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.room_seat import Access, RoomSeat
from rymi_server.telephony.carriers.media import NewWire
from rymi_server.telephony.carriers.plivo.media import PlivoMedia
from rymi_server.telephony.carriers.twilio.media import TwilioMedia
from rymi_server.telephony.carriers.vonage.media import VonageMedia
from rymi_server.telephony.media_tokens import MediaTokens

log = structlog.get_logger(__name__)

WIRES: dict[str, NewWire] = {"twilio": TwilioMedia, "plivo": PlivoMedia, "vonage": VonageMedia}


def main() -> int:
    return outcome(run)


def run() -> None:
    settings = read_settings()
    configure_logs(settings.log_level, show_personal=settings.log_personal)
    trace_to(settings.otlp_endpoint, "rymi-gateway")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    reach_rooms_directly(settings.livekit_url)
    database = Database(settings.required_database_url(), connections=settings.database_connections)
    await GatewayProcess(settings, database, SystemClock()).run(stop_requested())


@dataclass
class GatewayProcess:
    settings: Settings
    database: Database
    clock: Clock
    registry: CollectorRegistry = field(default_factory=process_registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: then nobody is let in any more, and calls go on to their end. Asked twice, they are ended."""
        measure_database(self.registry, self.database)
        connections = connections_of(self.settings, self.clock)
        addresses, tokens = self.settings.carrier_addresses(), MediaTokens.under(self.settings.required_secret())
        gateway = Gateway(
            WIRES,
            LegDoor(self.database, connections, addresses, tokens, self.clock),
            LegRecord(self.database, self.clock),
            self._seats(direct_events()),
            Measures(self.registry),
            self.settings.gateway_calls,
        )
        at = listen(self.settings.http_host, self.settings.gateway_port, "RYMI_GATEWAY_PORT")
        leave_what_is_loaded()
        try:
            async with self._health(), listening(gateway, at) as server:
                log.info("gateway_started", port=self.settings.gateway_port)
                await stop.wait()
                server.close(close_connections=False)
                await gateway.drain(self.settings.gateway_drain_seconds, stop_requested())
        finally:
            await connections.close()
            await self.database.close()
        log.info("gateway_stopped")

    def _health(self) -> AbstractAsyncContextManager[None]:
        routes = health_routes(readiness_of(self.database), self.registry)
        return health_page(self.settings, self.settings.gateway_metrics_port, "RYMI_GATEWAY_METRICS_PORT", routes)

    def _seats(self, events: DirectedEvents) -> "NewSeats":
        return NewSeats(self.settings, self.clock, events)


class NewSeats:
    """Seats in rooms of the LiveKit server that the settings name."""

    def __init__(self, settings: Settings, clock: Clock, events: DirectedEvents) -> None:
        self._livekit = settings.livekit()
        self._clock = clock
        self._events = events

    def __call__(self, guest: Guest, rate: int, bridge: Bridge) -> RoomSeat:
        # In the room phones are known by their participant's id, not by their number.
        known_as = dataclasses.replace(guest.participant, identity=guest.participant.id)

        def access() -> Access:
            given = access_for(self._livekit, known_as, self._clock.now())
            return Access(self._livekit.url, given["token"])

        speaks = guest.participant.role is not Role.OBSERVER
        return RoomSeat(self._events, access, rate, bridge, speaks=speaks)


if __name__ == "__main__":
    sys.exit(main())
