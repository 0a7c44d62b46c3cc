"""`/v1/calls`: create a call, widen it, end it, list calls and look at one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from rymi_server.agents.errors import UnknownAgent
from rymi_server.call_control.create import CreatedCall
from rymi_server.call_control.errors import NoCallerId, NotOurNumber
from rymi_server.call_views import listed
from rymi_server.call_views.detail import detail
from rymi_server.call_views.shapes import participant
from rymi_server.calls.errors import CallIsOver, UnknownCall
from rymi_server.calls.listing import Filter, page
from rymi_server.calls.models import CallStatus, Transport
from rymi_server.calls.transitions import end_by_api
from rymi_server.credits.errors import InsufficientCredits
from rymi_server.dnc.errors import NumberOnDoNotCallList
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Invalid
from rymi_server.foundation.pagination import Window
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_KEY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import AnyKeyRoute, SecretKeyRoute
from rymi_server.http.v1 import examples
from rymi_server.http.v1.call_bodies import CallBody, CallListBody, CreatedCallBody, ParticipantsBody
from rymi_server.http.v1.call_result_bodies import CallDetailBody, EndedCallBody
from rymi_server.http.v1.fields import UUID, Offset
from rymi_server.keys.errors import PublishableKeyRefused
from rymi_server.quotas.errors import TooManyCalls
from rymi_server.rooms.access import access_for
from rymi_server.rooms.naming import room_name
from rymi_server.tenants.errors import TenantPaused

with_any_key = APIRouter(prefix="/v1/calls", tags=["Calls"], route_class=AnyKeyRoute)
with_secret_key = APIRouter(prefix="/v1/calls", tags=["Calls"], route_class=SecretKeyRoute)

_ADMISSION = (TenantPaused, NumberOnDoNotCallList, InsufficientCredits, NoCallerId, NotOurNumber)

Limit = Annotated[int, Query(ge=1, le=200, description="How many to return (at most 200).")]
Cursor = Annotated[str | None, Query(pattern=UUID, description="The `next_cursor` of the page before.")]
Status = Annotated[CallStatus | None, Query(description="Only calls in this status.")]
BatchId = Annotated[str | None, Query(min_length=1, max_length=128, description="Only calls of this batch.")]


@with_any_key.post(
    "",
    operation_id="createCall",
    summary="Create a call",
    status_code=201,
    responses={
        **success(201, CreatedCallBody, "Every participant is a browser.", examples.WEB_CALL),
        **success(202, CreatedCallBody, "At least one phone is queued.", examples.PHONE_CALL),
        **refusals(*WITH_KEY, *WITH_BODY, *ONCE, *_ADMISSION, PublishableKeyRefused, UnknownAgent, TooManyCalls),
    },
)
async def create_call(asking: AskingDep, body: CallBody) -> JSONResponse:
    async def create(tx: Transaction) -> Answer:
        return _invitation(asking, await asking.edge.call_creator.create(tx, asking.caller, body.wanted()))

    return await once(asking, create, in_one_statement=True)


@with_secret_key.get(
    "",
    operation_id="listCalls",
    summary="List calls",
    responses={
        **success(200, CallListBody, "Newest first.", examples.CALL_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def list_calls(
    asking: AskingDep,
    limit: Limit = 200,
    offset: Offset = 0,
    cursor: Cursor = None,
    status: Status = None,
    batch_id: BatchId = None,
) -> JSONResponse:
    if cursor is not None and offset:
        raise Invalid("Give a cursor or an offset, not both.", where="cursor")
    return await _list(asking, Filter(status=status, batch_id=batch_id), Window(limit, offset), cursor)


@with_secret_key.get(
    "/active",
    operation_id="listActiveCalls",
    summary="List active calls",
    responses={
        **success(200, CallListBody, "Calls in progress, newest first.", examples.CALL_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def list_active_calls(
    asking: AskingDep, limit: Limit = 200, offset: Offset = 0, cursor: Cursor = None
) -> JSONResponse:
    if cursor is not None and offset:
        raise Invalid("Give a cursor or an offset, not both.", where="cursor")
    return await _list(asking, Filter(status=CallStatus.IN_PROGRESS), Window(limit, offset), cursor)


@with_secret_key.get(
    "/{call_id}",
    operation_id="getCall",
    summary="Everything about a call",
    responses={
        **success(200, CallDetailBody, "The call.", examples.CALL_DETAIL),
        **refusals(*WITH_SECRET_KEY, UnknownCall),
    },
)
async def get_call(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await detail(tx, asking.caller.tenant.id, call_id, asking.edge.signing))


@with_secret_key.post(
    "/{call_id}/participants",
    operation_id="addParticipants",
    summary="Add participants to a call",
    status_code=201,
    responses={
        **success(201, CreatedCallBody, "Every new participant is a browser.", examples.WEB_CALL),
        **success(202, CreatedCallBody, "At least one phone is queued.", examples.PHONE_CALL),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, *_ADMISSION, UnknownCall, CallIsOver),
    },
)
async def add_participants(asking: AskingDep, call_id: str, body: ParticipantsBody) -> JSONResponse:
    wanted = [participant.wanted() for participant in body.participants]

    async def add(tx: Transaction) -> Answer:
        return _invitation(asking, await asking.edge.participant_adder.add(tx, asking.caller, call_id, wanted))

    return await once(asking, add)


@with_secret_key.post(
    "/{call_id}/end",
    operation_id="endCall",
    summary="End a call for everybody",
    responses={
        **success(200, EndedCallBody, "The call is over.", examples.ENDED_CALL),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownCall, CallIsOver),
    },
)
async def end_call(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        call = await end_by_api(tx, asking.caller.tenant.id, call_id, asking.edge.clock.now())
    return JSONResponse({"status": "ended", "id": call.id, "message": "Call has been terminated."})


async def _list(asking: Asking, wanted: Filter, window: Window, cursor: str | None) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await page(tx, asking.caller.tenant.id, wanted, window, cursor)
    return JSONResponse(listed.as_json(found, window))


def _invitation(asking: Asking, created: CreatedCall) -> Answer:
    """202 as soon as somebody is waited for, 201 where everybody can come at once."""
    any_phone = any(seated.leg for seated in created.seated)
    return Answer(202 if any_phone else 201, invitation(asking, created))


def invitation(asking: Asking, created: CreatedCall) -> dict[str, Any]:
    """A call with what its new participants need to come in."""
    livekit, now = asking.edge.livekit, asking.edge.clock.now()
    return {
        "id": created.call.id,
        "room_name": room_name(created.call.id),
        "status": created.call.status,
        "participants": [
            participant(
                seated.participant,
                seated.leg,
                access_for(livekit, seated.participant, now)
                if seated.participant.transport is Transport.WEBRTC
                else None,
            )
            for seated in created.seated
        ],
        "agent": {"id": created.agent["id"], "name": created.agent["name"]},
    }
