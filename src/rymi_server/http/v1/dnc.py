"""`/v1/dnc`: the numbers that an account must not ring."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse

from rymi_server.call_views.shapes import instant
from rymi_server.dnc import store
from rymi_server.dnc.errors import NotOnDoNotCallList
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.pagination import Window
from rymi_server.foundation.phone_number import normalize
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import dnc_examples as examples
from rymi_server.http.v1.dnc_bodies import (
    REASON_UNLESS_SAID,
    BlocklistedBatchBody,
    BlocklistedBody,
    CheckedNumbersBody,
    DncBatchBody,
    DncBody,
    DncCheckBody,
    DncListBody,
    DncPath,
    RemovedDncBody,
)
from rymi_server.http.v1.fields import Offset

routes = APIRouter(prefix="/v1/dnc", tags=["Do-Not-Call"], route_class=SecretKeyRoute)

_Limit = Annotated[int, Query(ge=1, le=500, description="How many to return (at most 500).")]


async def _window(limit: _Limit = 50, offset: Offset = 0) -> Window:
    return Window(limit, offset)


@routes.get(
    "",
    operation_id="listDnc",
    summary="The Do-Not-Call list",
    responses={**success(200, DncListBody, "Newest first.", examples.DNC_LIST), **refusals(*WITH_SECRET_KEY)},
)
async def list_dnc(asking: AskingDep, window: Annotated[Window, Depends(_window)]) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.page(tx, asking.caller.tenant.id, window)
    entries = [
        {"phone": entry.phone, "reason": entry.reason, "opt_out_at": instant(entry.opt_out_at)} for entry in found.rows
    ]
    return JSONResponse(found.as_json("dnc_entries", entries, window))


@routes.post(
    "",
    operation_id="addDnc",
    summary="Never ring a number again",
    description="A number that is listed already keeps its date and gets the new reason.",
    status_code=201,
    responses={
        **success(201, BlocklistedBody, "The number is on the list.", examples.BLOCKLISTED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE),
    },
)
async def add_dnc(asking: AskingDep, body: DncBody) -> JSONResponse:
    async def block(tx: Transaction) -> Answer:
        reason, now = body.reason or REASON_UNLESS_SAID, asking.edge.clock.now()
        await store.block(tx, asking.caller.tenant.id, [body.phone_number], reason, now)
        return Answer(201, {"status": "blocklisted", "phone_number": body.phone_number})

    return await once(asking, block)


@routes.post(
    "/batch",
    operation_id="addDncBatch",
    summary="Never ring many numbers again",
    description="Up to 1000. What is no number is named in the answer; the others are listed all the same.",
    status_code=201,
    responses={
        **success(201, BlocklistedBatchBody, "The numbers are on the list.", examples.BLOCKLISTED_BATCH),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE),
    },
)
async def add_dnc_batch(asking: AskingDep, body: DncBatchBody) -> JSONResponse:
    read = [(written, normalize(written)) for written in body.phone_numbers]
    phones = {phone for _, phone in read if phone is not None}
    invalid = [written for written, phone in read if phone is None]

    async def block(tx: Transaction) -> Answer:
        reason, now = body.reason or REASON_UNLESS_SAID, asking.edge.clock.now()
        await store.block(tx, asking.caller.tenant.id, sorted(phones), reason, now)
        counted = {"count": len(phones), "invalid_count": len(invalid), "invalid": invalid}
        return Answer(201, {"status": "blocklisted", **counted})

    return await once(asking, block)


@routes.post(
    "/check",
    operation_id="checkDnc",
    summary="Which of these numbers must not be rung",
    responses={
        **success(200, CheckedNumbersBody, "One result for each, in the order they were sent.", examples.CHECKED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY),
    },
)
async def check_dnc(asking: AskingDep, body: DncCheckBody) -> JSONResponse:
    read = [(written, normalize(written)) for written in body.phone_numbers]
    async with asking.edge.database.transaction() as tx:
        blocked = await store.listed(tx, asking.caller.tenant.id, {phone for _, phone in read if phone is not None})
    results = [
        {"phone_number": written, "normalized": phone, "blocked": phone in blocked, "valid": phone is not None}
        for written, phone in read
    ]
    blocked_count = sum(phone in blocked for _, phone in read)
    return JSONResponse({"results": results, "blocked_count": blocked_count, "total_checked": len(results)})


@routes.delete(
    "/{phone}",
    operation_id="removeDnc",
    summary="Allow a number again",
    responses={
        **success(200, RemovedDncBody, "The number is not on the list any more.", examples.REMOVED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, NotOnDoNotCallList),
    },
)
async def remove_dnc(asking: AskingDep, phone: DncPath) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await store.unblock(tx, asking.caller.tenant.id, phone)
    return JSONResponse({"status": "removed", "phone": phone})
