"""`/v1/calls/batch`: call many numbers, and see how far it has come."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.agents.errors import UnknownAgent
from rymi_server.call_control.batch import CreatedBatch
from rymi_server.call_control.errors import NoCallerId, NotOurNumber
from rymi_server.call_views.batch_progress import UnknownBatch, progress
from rymi_server.credits.errors import InsufficientCredits
from rymi_server.dnc.errors import NumberOnDoNotCallList
from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import examples
from rymi_server.http.v1.batch_bodies import BatchBody, BatchProgressBody, CreatedBatchBody
from rymi_server.http.v1.calls import invitation
from rymi_server.quotas.errors import TooManyCalls
from rymi_server.tenants.errors import TenantPaused

routes = APIRouter(prefix="/v1/calls/batch", tags=["Calls"], route_class=SecretKeyRoute)


_ADMISSION = (
    NoCallerId,
    NotOurNumber,
    TenantPaused,
    UnknownAgent,
    NumberOnDoNotCallList,
    InsufficientCredits,
    TooManyCalls,
)


@routes.post(
    "",
    operation_id="createBatch",
    summary="Call many numbers",
    description="One call for each recipient, or with `conference` one call for all. All of the batch is accepted, or "
    "nothing of it.",
    status_code=202,
    responses={
        **success(202, CreatedBatchBody, "Every number is queued.", examples.BATCH),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, *_ADMISSION),
    },
)
async def create_batch(asking: AskingDep, body: BatchBody) -> JSONResponse:
    async def create(tx: Transaction) -> Answer:
        batch = await asking.edge.batch_creator.create(tx, asking.caller, body.wanted())
        return Answer(202, _shown(asking, batch, conference=body.conference))

    return await once(asking, create)


@routes.get(
    "/{batch_id}",
    operation_id="getBatch",
    summary="How far a batch has come",
    responses={
        **success(200, BatchProgressBody, "Its calls by status, and those that are over by reason.", examples.PROGRESS),
        **refusals(*WITH_SECRET_KEY, UnknownBatch),
    },
)
async def get_batch(asking: AskingDep, batch_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await progress(tx, asking.caller.tenant.id, batch_id))


def _shown(asking: Asking, batch: CreatedBatch, *, conference: bool) -> dict[str, Any]:
    calls = [invitation(asking, created) for created in batch.calls]
    participants = [participant for call in calls for participant in call["participants"]]
    shown: dict[str, Any] = {
        "batch_id": batch.batch_id,
        "queued": len(participants),
        "status": "queued",
        "calls": [{key: call[key] for key in ("id", "room_name", "status", "participants")} for call in calls],
        "participants": participants,
        "skipped": batch.skipped,
    }
    if conference and calls:
        shown |= {key: calls[0][key] for key in ("id", "room_name", "agent")}
    return shown
