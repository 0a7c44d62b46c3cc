"""`/v1/calls/:id/…`: what a call has left behind, and doing the analysis again."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.call_views import results
from rymi_server.call_views.detail import call_events
from rymi_server.calls.errors import CallNotCompleted, NotReady, UnknownCall
from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import examples
from rymi_server.http.v1.call_result_bodies import (
    DeletedRecordingBody,
    EventListBody,
    QualityBody,
    QueuedReprocessBody,
    QueueStatsBody,
    RecordingBody,
    SummaryBody,
    TranscriptBody,
)
from rymi_server.http.v1.fields import WindowDep
from rymi_server.post_call import quality
from rymi_server.post_call.forget import delete_recording
from rymi_server.post_call.reprocess import reprocess
from rymi_server.queue.counts import counts_of
from rymi_server.telephony.dialing import DIAL

routes = APIRouter(prefix="/v1/calls", tags=["Calls"], route_class=SecretKeyRoute)


@routes.get(
    "/queue/stats",
    operation_id="getQueueStats",
    summary="How many phones wait to be dialed",
    responses={
        **success(200, QueueStatsBody, "BullMQ's counts of the account's dial jobs.", examples.QUEUE_STATS),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def queue_stats(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        counts = await counts_of(tx, DIAL.queue, asking.caller.tenant.id)
    return JSONResponse(
        {"waiting": counts.waiting, "active": counts.active, "completed": counts.completed, "failed": counts.failed}
    )


@routes.get(
    "/{call_id}/summary",
    operation_id="getCallSummary",
    summary="Summary and sentiment",
    responses={
        **success(200, SummaryBody, "As it was computed after the call.", examples.SUMMARY),
        **refusals(*WITH_SECRET_KEY, UnknownCall, NotReady),
    },
)
async def get_summary(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await results.summary(tx, asking.caller.tenant.id, call_id))


@routes.get(
    "/{call_id}/transcript",
    operation_id="getCallTranscript",
    summary="Who said what",
    responses={
        **success(200, TranscriptBody, "Every line, in order, attributed.", examples.TRANSCRIPT),
        **refusals(*WITH_SECRET_KEY, UnknownCall, NotReady),
    },
)
async def get_transcript(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await results.transcript(tx, asking.caller.tenant.id, call_id))


@routes.get(
    "/{call_id}/recording",
    operation_id="getCallRecording",
    summary="The newest recording",
    responses={
        **success(200, RecordingBody, "With URLs that expire.", examples.RECORDING),
        **refusals(*WITH_SECRET_KEY, UnknownCall, NotReady),
    },
)
async def get_recording(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await results.recording(tx, asking.caller.tenant.id, call_id, asking.edge.signing))


@routes.delete(
    "/{call_id}/recording",
    operation_id="deleteCallRecording",
    summary="Delete the recording",
    description="For good, with all files that were made of it. Links to them open nothing any more.",
    responses={
        **success(200, DeletedRecordingBody, "It is gone.", examples.DELETED_RECORDING),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownCall, NotReady),
    },
)
async def remove_recording(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await delete_recording(tx, asking.caller.tenant.id, call_id, asking.edge.clock.now())
    return JSONResponse({"status": "deleted", "call_id": call_id})


@routes.get(
    "/{call_id}/quality",
    operation_id="getCallQuality",
    summary="How well turns were taken",
    description="As the agent noted it (`traced`) and as the recording lets one hear it (`heard`), side by side.",
    responses={
        **success(200, QualityBody, "Each turn, and what they come to.", examples.QUALITY),
        **refusals(*WITH_SECRET_KEY, UnknownCall, NotReady),
    },
)
async def get_quality(asking: AskingDep, call_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await quality.shown(tx, asking.caller.tenant.id, call_id))


@routes.get(
    "/{call_id}/events",
    operation_id="listCallEvents",
    summary="The call's log",
    responses={
        **success(200, EventListBody, "Oldest first.", examples.EVENTS),
        **refusals(*WITH_SECRET_KEY, UnknownCall),
    },
)
async def list_events(asking: AskingDep, call_id: str, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        return JSONResponse(await call_events(tx, asking.caller.tenant.id, call_id, window))


@routes.post(
    "/{call_id}/reprocess",
    operation_id="reprocessCall",
    summary="Analyse a completed call again",
    status_code=202,
    responses={
        **success(202, QueuedReprocessBody, "The analysis is queued.", examples.REPROCESS),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownCall, CallNotCompleted),
    },
)
async def reprocess_call(asking: AskingDep, call_id: str) -> JSONResponse:
    async def queue(tx: Transaction) -> Answer:
        job_id = await reprocess(tx, asking.caller.tenant.id, call_id, asking.edge.clock.now())
        message = "Post-call intelligence reprocessing has been queued."
        return Answer(202, {"status": "queued", "job_id": job_id, "message": message})

    return await once(asking, queue)
