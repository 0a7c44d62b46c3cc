"""`/v1/telephony`: the carrier account that an account's phone calls go through, and the hours they go out in."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import telephony_examples as examples
from rymi_server.http.v1.telephony_bodies import (
    CallingHoursBody,
    ConnectBody,
    ConnectedBody,
    CredentialsBody,
    DisconnectedBody,
    KeptHoursBody,
    ProviderNumbersBody,
    ProvidersBody,
    StatusBody,
    ValidatedBody,
    shown,
)
from rymi_server.quotas.requests import count_in
from rymi_server.telephony import connection_store as store
from rymi_server.telephony.calling_hours import hours_of, keep_to
from rymi_server.telephony.carriers.registry import CARRIERS, CarrierKind, CredentialField
from rymi_server.telephony.errors import (
    CarrierCheckFailed,
    CarrierCredentialsWrong,
    CarrierIsBusy,
    TooManyConnectAttempts,
)

routes = APIRouter(prefix="/v1/telephony", tags=["Telephony"], route_class=SecretKeyRoute)
without_key = APIRouter(prefix="/v1/telephony", tags=["Telephony"])

_SPAN = timedelta(minutes=5)
_CHECKING = (TooManyConnectAttempts, CarrierIsBusy, CarrierCheckFailed)


@routes.post(
    "/connect",
    operation_id="connectTelephony",
    summary="Connect your carrier account",
    description="The credentials are checked with the carrier and sealed. A carrier that was connected before is "
    "disconnected.",
    responses={
        **success(200, ConnectedBody, "Calls go through this account now.", examples.CONNECTED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, CarrierCredentialsWrong, *_CHECKING),
    },
)
async def connect(asking: AskingDep, body: ConnectBody) -> JSONResponse:
    await _count_attempt(asking, "connect")
    connection = await asking.edge.carrier_connector.connect(asking.caller.tenant.id, body.wanted())
    answer = {
        "status": "connected",
        "provider": connection.provider,
        "account_name": connection.account_name,
        "message": f"{connection.provider} account connected successfully",
    }
    if connection.is_trial:
        answer["warning"] = "This is a trial account: it calls only numbers that you have verified at the carrier."
    return JSONResponse(answer)


@routes.post(
    "/validate",
    operation_id="validateTelephony",
    summary="Check carrier credentials",
    description="Nothing is stored.",
    responses={
        **success(200, ValidatedBody, "Whether the carrier takes them.", examples.VALID),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *_CHECKING),
    },
)
async def validate(asking: AskingDep, body: CredentialsBody) -> JSONResponse:
    await _count_attempt(asking, "validate")
    try:
        account = await asking.edge.carrier_connector.check(body.provider, body.fields)
    except CarrierCredentialsWrong as wrong:
        return JSONResponse({"valid": False, "error": wrong.message})
    return JSONResponse({"valid": True, "accountName": account.name})


@routes.get(
    "/status",
    operation_id="getTelephonyStatus",
    summary="Which carrier is connected",
    responses={**success(200, StatusBody, "The present state.", examples.STATUS), **refusals(*WITH_SECRET_KEY)},
)
async def status(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        connection = await store.active_of(tx, asking.caller.tenant.id)
    return JSONResponse(
        {
            "connected": connection is not None,
            "provider": connection.provider if connection else None,
            "account_name": connection.account_name if connection else None,
            "account_country": connection.account_country if connection else None,
        }
    )


@routes.get(
    "/numbers",
    operation_id="listProviderNumbers",
    summary="The numbers of the connected carrier account",
    description="As they were last seen there. Numbers are bought and given up at the carrier.",
    responses={
        **success(200, ProviderNumbersBody, "Those that take calls.", examples.NUMBERS),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def numbers(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        connection = await store.active_of(tx, asking.caller.tenant.id)
        found = await store.listed(tx, connection) if connection else []
    rows = [
        {
            "id": number.id,
            "provider": number.provider,
            "phone_number": number.number,
            "number_status": number.status,
            "backend_agent_id": agent_id,
        }
        for number, agent_id in found
    ]
    return JSONResponse({"numbers": rows})


@routes.post(
    "/disconnect",
    operation_id="disconnectTelephony",
    summary="Disconnect the carrier",
    description="Its numbers point again to where they did before. Calls that are going on may end in peace.",
    responses={
        **success(200, DisconnectedBody, "No carrier is connected now.", examples.DISCONNECTED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE),
    },
)
async def disconnect(asking: AskingDep) -> JSONResponse:
    async def work(tx: Transaction) -> Answer:
        await asking.edge.carrier_connector.disconnect(tx, asking.caller.tenant.id)
        return Answer(200, {"status": "disconnected", "message": "Telephony disconnected."})

    return await once(asking, work)


@without_key.get(
    "/providers",
    operation_id="listTelephonyProviders",
    summary="Which carriers there are",
    description="And what each is connected with. Asked without a key.",
    responses=success(200, ProvidersBody, "All of them.", examples.PROVIDERS),
)
async def providers() -> JSONResponse:
    return JSONResponse({"providers": [_provider(kind) for kind in CARRIERS.values()]})


@routes.get(
    "/calling-hours",
    operation_id="getCallingHours",
    summary="When calls go out",
    responses={**success(200, KeptHoursBody, "The hours.", examples.HOURS), **refusals(*WITH_SECRET_KEY)},
)
async def get_calling_hours(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        hours = await hours_of(tx, asking.caller.tenant.id)
    return JSONResponse({"calling_hours": shown(hours)})


@routes.put(
    "/calling-hours",
    operation_id="setCallingHours",
    summary="Keep to calling hours",
    description="A number is rung only within these hours of the day where it is, and else at the next of them. "
    "Where a number may be in several time zones, it must be a good hour in all.",
    responses={
        **success(200, KeptHoursBody, "They hold from now on.", examples.HOURS),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY),
    },
)
async def set_calling_hours(asking: AskingDep, body: CallingHoursBody) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await keep_to(tx, asking.caller.tenant.id, body.hours())
    return JSONResponse({"calling_hours": shown(body.hours())})


@routes.delete(
    "/calling-hours",
    operation_id="removeCallingHours",
    summary="Call at any hour",
    responses={
        **success(200, KeptHoursBody, "Calls go out at any hour.", examples.NO_HOURS),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY),
    },
)
async def remove_calling_hours(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await keep_to(tx, asking.caller.tenant.id, None)
    return JSONResponse({"calling_hours": None})


async def _count_attempt(asking: Asking, what: str) -> None:
    """Every attempt is one at the carrier, who would think of somebody guessing secrets."""
    limit = asking.edge.limits.connect_attempts
    async with asking.edge.database.transaction() as tx:
        subject = f"carrier:{what}:{asking.caller.tenant.id}"
        used, seconds_left = await count_in(tx, subject, _SPAN, asking.edge.clock.now())
    if used > limit:
        raise TooManyConnectAttempts(limit=limit, retry_after_seconds=seconds_left)


def _provider(kind: CarrierKind) -> dict[str, Any]:
    return {
        "id": kind.name,
        "displayName": kind.display_name,
        "credentialFields": [_field(field) for field in kind.fields],
    }


def _field(field: CredentialField) -> dict[str, Any]:
    written = {"name": field.name, "label": field.label, "required": field.required}
    return {**written, "secret": True} if field.secret else written
