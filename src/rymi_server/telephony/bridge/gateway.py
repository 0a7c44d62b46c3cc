"""Opens media sockets: one a leg, each let in by the door, each bridged into its room until it is over."""

import asyncio
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from rymi_server.foundation.ids import LegId
from rymi_server.telephony.bridge.bridge import Bridge
from rymi_server.telephony.bridge.guests import BridgeLog, Door, Ending, Guest, Knock
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.media_socket import POLICY_VIOLATION, TRY_AGAIN, MediaSocket
from rymi_server.telephony.bridge.room_seat import RoomSeat
from rymi_server.telephony.carriers.media import NewWire, Opened

log = structlog.get_logger(__name__)

_PATH = re.compile(r"/media/([a-z]{1,32})(?:/([A-Za-z0-9_-]{1,256}))?")
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
    ) -> None:
        self._wires = wires
        self._door = door
        self._record = record
        self._new_seat = new_seat
        self._measures = measures
        self._most_bridges = most_bridges
        self._bridges: dict[LegId, Bridge] = {}
        self._running: set[asyncio.Task[Ending]] = set()
        self._strangers = 0
        self._is_draining = False

    async def refuse_early(self, connection: ServerConnection, request: Request) -> Response | None:
        """Before the handshake: what is no media socket, and what there is no room for."""
        found = _PATH.fullmatch(request.path.partition("?")[0])
        if found is None or found[1] not in self._wires:
            return connection.respond(HTTPStatus.NOT_FOUND, "There is no such media socket.\n")
        if self._strangers >= _MOST_STRANGERS or self._is_draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Not now.\n")
        return None

    async def serve(self, connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        found = _PATH.fullmatch(request.path.partition("?")[0])
        assert found is not None
        socket = MediaSocket(connection, self._wires[found[1]]())
        self._strangers += 1
        try:
            met = await self._meet(socket, found[1], found[2], request)
        finally:
            self._strangers -= 1
        if met is None:
            self._measures.knocks.labels("refused").inc()
            await socket.close(POLICY_VIOLATION, "not admitted")
            return
        await self._carry(socket, *met)

    async def drain(self, seconds: float, enough: asyncio.Event) -> None:
        """Let nobody in any more, and wait for those who are in; `enough` ends them at once."""
        self._is_draining = True
        if self._running:
            log.info("gateway_draining", bridges=len(self._running))
            hurry = asyncio.create_task(enough.wait())
            everybody = asyncio.gather(*self._running, return_exceptions=True)
            await asyncio.wait((everybody, hurry), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            hurry.cancel()
        for bridge in self._bridges.values():
            bridge.end(Ending.STOPPED)
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _meet(
        self, socket: MediaSocket, carrier: str, in_path: str | None, request: Request
    ) -> tuple[Guest, Opened] | None:
        opened = await socket.opening()
        token = in_path or (opened.token if opened else None)
        if opened is None or token is None:
            return None
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        guest = await self._door.admit(Knock(carrier, request.path, headers, token, opened.provider_call_id))
        return (guest, opened) if guest else None

    async def _carry(self, socket: MediaSocket, guest: Guest, opened: Opened) -> None:
        bridge = self._bridges.get(guest.leg_id)
        if bridge is None and len(self._bridges) >= self._most_bridges:
            self._measures.knocks.labels("full").inc()
            log.warning("gateway_full", bridges=len(self._bridges), call_id=guest.call_id, leg_id=guest.leg_id)
            await socket.close(TRY_AGAIN, "full")
            await self._record.unbridged(guest, Ending.NO_ROOM)
            return
        if bridge is not None and bridge.form != opened.format:
            self._measures.knocks.labels("refused").inc()
            await socket.close(POLICY_VIOLATION, "another format")
            return
        self._measures.knocks.labels("let_in").inc()
        await (bridge or self._start(guest, opened)).carry(socket)

    def _start(self, guest: Guest, opened: Opened) -> Bridge:
        rate = opened.format.rate
        bridge = Bridge(
            guest, opened.format, lambda whose: self._new_seat(guest, rate, whose), self._record, self._measures
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
                reason=type(failed).__name__ if failed else task.result(),
                exc_info=failed,
            )

        running.add_done_callback(over)
        log.info("phone_bridged", call_id=guest.call_id, leg_id=guest.leg_id)
        return bridge
