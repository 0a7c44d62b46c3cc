"""`/carriers/…`: answers and reports of carriers.

The key in the address and the carrier's signature over the public address are checked before anything that was sent is
looked at. Afterwards a carrier always gets a good answer: that nobody knows a leg is no fault of its.
"""

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Request, Response

from rymi_server.agents.errors import UnknownAgent
from rymi_server.call_control.errors import NobodyAnswers
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Refused
from rymi_server.foundation.ids import LegId
from rymi_server.http.bodies import read_bounded
from rymi_server.http.edge import Edge
from rymi_server.telephony import legs, store
from rymi_server.telephony.carriers.carrier import Document, LegReport, Refusal, SignedRequest
from rymi_server.telephony.carriers.hooks import Hook
from rymi_server.telephony.carriers.registry import CARRIERS
from rymi_server.telephony.connections import Wired
from rymi_server.telephony.told_once import is_first

log = structlog.get_logger(__name__)

routes = APIRouter(prefix="/carriers", include_in_schema=False)

_LARGEST = 65_536
_METHODS = ["GET", "POST"]
_REJECTED = (NobodyAnswers, UnknownAgent)
_SORRY = "We are sorry, this number cannot be reached right now. Please try again later."

Word = Annotated[str, Path(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


@dataclass(frozen=True, slots=True)
class Told:
    """A request that a connected carrier has really sent."""

    edge: Edge
    wired: Wired
    request: SignedRequest


class NotFromTheCarrier(Exception):
    """Told apart from other refusals by its status alone: who forges learns nothing."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


async def _verified(request: Request, provider: str, connection_id: str, subject: str, key: str) -> Told:
    edge: Edge = request.app.state.edge
    if provider not in CARRIERS or not edge.carrier_addresses.opens(subject, key):
        raise NotFromTheCarrier(404)
    async with edge.database.single_statements() as tx:
        wired = await edge.connections.wired(tx, connection_id)
    if wired is None or wired.connection.provider != provider:
        raise NotFromTheCarrier(404)
    signed = SignedRequest(
        request.method,
        edge.carrier_addresses.public + _path_with_query(request),
        {name.lower(): value for name, value in request.headers.items()},
        await read_bounded(request, _LARGEST) if request.method == "POST" else b"",
    )
    if not wired.wire.verifies(wired.credentials, signed, edge.clock.now()):
        log.warning("carrier_signature_wrong", carrier=provider, tenant_id=wired.connection.tenant_id)
        raise NotFromTheCarrier(CARRIERS[provider].unverified_status)
    return Told(edge, wired, signed)


async def _of_account(request: Request, provider: Word, connection_id: Word, key: Word) -> Told:
    return await _verified(request, provider, connection_id, connection_id, key)


async def _of_leg(request: Request, provider: Word, connection_id: Word, leg_id: Word, key: Word) -> Told:
    return await _verified(request, provider, connection_id, f"{connection_id}/{leg_id}", key)


AccountDep = Annotated[Told, Depends(_of_account)]
LegDep = Annotated[Told, Depends(_of_leg)]


@routes.api_route("/{provider}/{connection_id}/{key}/answer", methods=_METHODS)
async def answer_incoming(told: AccountDep) -> Response:
    """Somebody calls a number of ours."""
    incoming = told.wired.wire.read_incoming(told.request)
    if incoming is None:
        return _document(told.wired.wire.refuse(Refusal.REJECTED, _SORRY))
    edge, connection = told.edge, told.wired.connection
    try:
        async with edge.database.transaction() as tx:
            leg_id = await edge.inbound_answerer.answer(tx, connection, incoming)
            return _document(await edge.answer_documents.of(tx, told.wired, leg_id, edge.clock.now()))
    except Refused as refused:
        log.info("incoming_call_refused", tenant_id=connection.tenant_id, code=refused.code)
        why = Refusal.REJECTED if isinstance(refused, _REJECTED) else Refusal.BUSY
        return _document(told.wired.wire.refuse(why, _SORRY))


@routes.api_route("/{provider}/{connection_id}/{key}/status", methods=_METHODS)
async def account_status(told: AccountDep) -> Response:
    """A report of a call that came in. It is known by the carrier's own name for it."""
    report = told.wired.wire.read_report(Hook.STATUS, told.request)
    if report:
        async with told.edge.database.transaction() as tx:
            await _refuse_repeated(told, tx)
            leg = await store.at_carrier(tx, told.wired.connection.provider, report.provider_call_id)
            if leg and leg.connection_id == told.wired.connection.id:
                await legs.reported(tx, leg.id, report, told.edge.clock.now())
    return Response(status_code=204)


@routes.api_route("/{provider}/{connection_id}/legs/{leg_id}/{key}/answer", methods=_METHODS)
async def answer_leg(told: LegDep, leg_id: Word) -> Response:
    """Somebody has answered a leg that we dialed."""
    report = told.wired.wire.read_report(Hook.ANSWER, told.request)
    now = told.edge.clock.now()
    async with told.edge.database.transaction() as tx:
        if report is None or not await legs.reported(tx, LegId(leg_id), report, now):
            return _document(told.wired.wire.hang_up())
        return _document(await told.edge.answer_documents.of(tx, told.wired, LegId(leg_id), now))


@routes.api_route("/{provider}/{connection_id}/legs/{leg_id}/{key}/status", methods=_METHODS)
async def leg_status(told: LegDep, leg_id: Word) -> Response:
    return await _reported(told, leg_id, told.wired.wire.read_report(Hook.STATUS, told.request))


@routes.api_route("/{provider}/{connection_id}/legs/{leg_id}/{key}/machine", methods=_METHODS)
async def leg_machine(told: LegDep, leg_id: Word) -> Response:
    return await _reported(told, leg_id, told.wired.wire.read_report(Hook.MACHINE, told.request))


@routes.api_route("/{provider}/{connection_id}/legs/{leg_id}/{key}/stream", methods=_METHODS)
async def leg_stream(told: LegDep, leg_id: Word) -> Response:
    """The carrier's side of a media socket. The gateway has the other side and knows better."""
    log.debug("carrier_stream", carrier=told.wired.connection.provider, leg_id=leg_id)
    return Response(status_code=204)


async def _reported(told: Told, leg_id: str, report: LegReport | None) -> Response:
    if report:
        async with told.edge.database.transaction() as tx:
            await _refuse_repeated(told, tx)
            await legs.reported(tx, LegId(leg_id), report, told.edge.clock.now())
    return Response(status_code=204)


async def _refuse_repeated(told: Told, tx: Transaction) -> None:
    """Reports only: a question for a document may be asked again, and gets the same answer."""
    wired, now = told.wired, told.edge.clock.now()
    name = wired.wire.named_once(wired.credentials, told.request)
    if name and not await is_first(tx, wired.connection.id, name, now):
        log.warning("carrier_request_repeated", carrier=wired.connection.provider, tenant_id=wired.connection.tenant_id)
        raise NotFromTheCarrier(403)


async def refuse_stranger(_: Request, error: Exception) -> Response:
    assert isinstance(error, NotFromTheCarrier)
    return Response(status_code=error.status)


def _document(document: Document) -> Response:
    return Response(document.body, media_type=document.content_type)


def _path_with_query(request: Request) -> str:
    """As it was sent: decoding and encoding again would change what was signed."""
    path: bytes = request.scope.get("raw_path", b"") or request.scope["path"].encode()
    query: bytes = request.scope.get("query_string", b"")
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
