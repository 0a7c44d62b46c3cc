"""Opens media sockets: one a leg, each let in by the door, each bridged into its room until it is over."""

import asyncio
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rymi_server.foundation.ids import LegId
from rymi_server.telephony.bridge.beat import Beat
from rymi_server.telephony.bridge.bridge import Bridge
from rymi_server.telephony.bridge.guests import BridgeLog, Door, Ending, Guest, Knock
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.media_socket import POLICY_VIOLATION, SILENCE_S, MediaSocket
from rymi_server.telephony.bridge.room_seat import RoomSeat
from rymi_server.telephony.carriers.media import NewWire, Opened

log = structlog.get_logger(__name__)

_PATH = re.compile(r"/media/(?P<carrier>[a-z]{1,32})/(?P<leg>[A-Za-z0-9_-]{1,64})/(?P<token>[A-Za-z0-9_-]{1,128})")
# Sockets that have not shown who they are. More are turned away until some have.
_MOST_STRANGERS = 200

NewSeat = Callable[[Guest, int, Bridge], RoomSeat]


class Gateway:
    """`wires` by the carrier's name. `most_bridges` at once; more sockets are asked to come back."""

    def __init__(
        self,
        wires: Mapping[str, NewWire],
        door: Door,
        record: BridgeLog,
        new_seat: NewSeat,
        measures: Measures,
        most_bridges: int,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.silence_s = silence_s
        self._wires = wires
        self._door = door
        self._record = record
        self._new_seat = new_seat
        self._measures = measures
        self._beat = Beat(measures)
        self.most_bridges = most_bridges
        self._bridges: dict[LegId, Bridge] = {}
        self._running: set[asyncio.Task[Ending]] = set()
        self._served: set[asyncio.Task[object]] = set()
        self._strangers = 0
        self._is_draining = False
        self._is_over = False

    @property
    def bridges(self) -> Mapping[LegId, Bridge]:
        return self._bridges

    async def refuse_early(self, connection: ServerConnection, request: Request) -> Response | None:
        """Before the handshake: what is no media socket, and what there is no room for."""
        if self._knock_of(request) is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such media socket.\n")
        if self._strangers >= _MOST_STRANGERS or self._is_draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Not now.\n")
        return None

    async def serve(self, connection: ServerConnection) -> None:
        """A media socket from its handshake to its end."""
        knock = self._knock_of(connection.request) if connection.request else None
        assert knock is not None
        self._is_served()
        socket = MediaSocket(connection, self._wires[knock.carrier](), self.silence_s)
        self._strangers += 1
        try:
            guest = await self._door.admit(knock)
            opened = await socket.opening() if guest else None
        finally:
            self._strangers -= 1
        if guest and opened and self._may_carry(guest, opened):
            self._measures.knocks.labels("let_in").inc()
            await (self._bridges.get(guest.leg_id) or self._start(guest, opened)).carry(socket)
            return
        self._measures.knocks.labels("refused").inc()
        await socket.close(POLICY_VIOLATION, "not admitted")
        if guest and guest.leg_id not in self._bridges:
            # It was answered, and nobody will ever be there.
            await self._record.unbridged(guest, Ending.NO_ROOM)

    def _is_served(self) -> None:
        running = asyncio.current_task()
        assert running is not None
        self._served.add(running)
        running.add_done_callback(self._served.discard)

    def _knock_of(self, request: Request) -> Knock | None:
        found = _PATH.fullmatch(request.path)
        if found is None or found["carrier"] not in self._wires:
            return None
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        return Knock(found["carrier"], LegId(found["leg"]), found["token"], headers)

    def _may_carry(self, guest: Guest, opened: Opened) -> bool:
        if self._is_over:
            return False
        bridge = self._bridges.get(guest.leg_id)
        if bridge is not None:
            return bridge.form == opened.format
        is_full = len(self._bridges) >= self.most_bridges
        if is_full:
            log.warning("gateway_full", bridges=len(self._bridges), call_id=guest.call_id, leg_id=guest.leg_id)
        return not is_full

    async def drain(self, seconds: float, enough: asyncio.Event) -> None:
        """Let nobody in any more, and wait for those who are in; `enough` ends them at once."""
        self._is_draining = True
        log.info("gateway_draining", bridges=len(self._bridges))
        everybody = asyncio.create_task(self._everybody_out())
        hurry = asyncio.create_task(enough.wait())
        await asyncio.wait((everybody, hurry), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        self._is_over = True
        for bridge in self._bridges.values():
            bridge.end(Ending.STOPPED)
        await everybody

    async def _everybody_out(self) -> None:
        """Also those who were at the door when it was shut, and are bridged only now."""
        while inside := self._served | self._running:
            await asyncio.wait(inside)

    def _start(self, guest: Guest, opened: Opened) -> Bridge:
        rate = opened.format.rate
        bridge = Bridge(
            guest,
            opened.format,
            lambda whose: self._new_seat(guest, rate, whose),
            self._record,
            self._measures,
            self._beat,
        )
        self._bridges[guest.leg_id] = bridge
        running = asyncio.create_task(bridge.run())
        self._running.add(running)

        def over(task: asyncio.Task[Ending]) -> None:
            self._running.discard(task)
            if self._bridges.get(guest.leg_id) is bridge:
                del self._bridges[guest.leg_id]
            failed = None if task.cancelled() else task.exception()
            log.info(
                "phone_unbridged",
                call_id=guest.call_id,
                leg_id=guest.leg_id,
                ending=type(failed).__name__ if failed else task.result(),
                exc_info=failed,
            )

        running.add_done_callback(over)
        log.info("phone_bridged", call_id=guest.call_id, leg_id=guest.leg_id)
        return bridge
