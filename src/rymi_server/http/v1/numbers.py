"""`/v1/numbers`: the numbers of an account, and the agent behind each."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.agents import store as agents
from rymi_server.agents.errors import UnknownAgent
from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import number_examples as examples
from rymi_server.http.v1.fields import WindowDep
from rymi_server.http.v1.number_bodies import (
    AttachBody,
    AttachedNumberBody,
    NewNumberBody,
    NumberListBody,
    NumberPath,
    RegisteredNumberBody,
    RemovedNumberBody,
)
from rymi_server.numbers import store
from rymi_server.numbers.errors import NumberTaken, UnknownNumber
from rymi_server.numbers.models import PhoneNumber
from rymi_server.telephony import connection_store as connections
from rymi_server.telephony.models import KnownNumber
from rymi_server.telephony.number_routing import enqueue_routing

routes = APIRouter(prefix="/v1/numbers", tags=["Numbers"], route_class=SecretKeyRoute)


@routes.get(
    "",
    operation_id="listNumbers",
    summary="List numbers",
    responses={**success(200, NumberListBody, "Oldest first.", examples.NUMBER_LIST), **refusals(*WITH_SECRET_KEY)},
)
async def list_numbers(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.page(tx, asking.caller.tenant.id, window)
        connection = await connections.active_of(tx, asking.caller.tenant.id)
        at_carrier = await connections.numbers_of(tx, connection.id) if connection else []
    known = {each.number: each for each in at_carrier}
    rows = [_listed(number, known.get(number.number)) for number in found.rows]
    return JSONResponse(found.as_json("numbers", rows, window))


@routes.post(
    "",
    operation_id="registerNumber",
    summary="Register a number",
    description="A number of your own, at your own carrier. Registering it again changes its agent, if one is given.",
    status_code=201,
    responses={
        **success(201, RegisteredNumberBody, "The number is registered.", examples.REGISTERED),
        **success(200, RegisteredNumberBody, "It was registered already.", examples.REGISTERED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownAgent, NumberTaken),
    },
)
async def register_number(asking: AskingDep, body: NewNumberBody) -> JSONResponse:
    tenant_id = asking.caller.tenant.id

    async def register(tx: Transaction) -> Answer:
        # Locked, so that an agent that is being deleted does not get a number in the same moment.
        agent = await agents.lock(tx, tenant_id, body.agent_id) if body.agent_id else None
        agent_id = agent.id if agent else None
        number, is_new = await store.register(tx, tenant_id, body.number, agent_id, asking.edge.clock.now())
        await enqueue_routing(tx, tenant_id)
        shown = {"status": "registered", "number": number.number, "agent_id": number.agent_id}
        return Answer(201 if is_new else 200, shown)

    return await once(asking, register)


@routes.post(
    "/{number}/attach",
    operation_id="attachNumber",
    summary="Let an agent answer a number",
    responses={
        **success(200, AttachedNumberBody, "The next call to the number is the agent's.", examples.ATTACHED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownAgent, UnknownNumber),
    },
)
async def attach_number(asking: AskingDep, number: NumberPath, body: AttachBody) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        agent = await agents.lock(tx, asking.caller.tenant.id, body.agent_id)
        attached = await store.attach(tx, agent.tenant_id, number, agent.id, asking.edge.clock.now())
        await enqueue_routing(tx, agent.tenant_id)
    return JSONResponse({"status": "attached", "number": attached.number, "agent_id": attached.agent_id})


@routes.delete(
    "/{number}",
    operation_id="removeNumber",
    summary="Remove a number",
    description="It stays yours at the carrier; nobody answers it here any more.",
    responses={
        **success(200, RemovedNumberBody, "The number is not registered any more.", examples.REMOVED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownNumber),
    },
)
async def remove_number(asking: AskingDep, number: NumberPath) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await store.remove(tx, asking.caller.tenant.id, number)
        await enqueue_routing(tx, asking.caller.tenant.id)
    return JSONResponse({"status": "removed", "number": number})


def _webhook_status(number: PhoneNumber, known: KnownNumber | None) -> str:
    """Whether the carrier sends this number's calls to us."""
    if known is None:
        return "no_carrier"
    if known.routing_error:
        return "failed"
    return "configured" if known.routed_to else "pending" if number.agent_id else "detached"


def _listed(number: PhoneNumber, known: KnownNumber | None) -> dict[str, Any]:
    return {
        "id": number.id,
        "number": number.number,
        "phone_number": number.number,
        "provider": known.provider if known else number.provider,
        "agent_id": number.agent_id,
        "status": number.status,
        "webhook_status": _webhook_status(number, known),
        "webhook_error": known.routing_error if known else None,
        "created_at": instant(number.created_at),
    }
