"""Runs the analysis of a completed call again. Earlier results are kept; the newest run is what is shown."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.errors import CallNotCompleted
from rymi_server.calls.models import CallStatus, IntelligenceStatus
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.transcripts import store as transcripts

ANALYSE = JobKind("post_call", "analyse", attempts=5, backoff=Backoff(first_ms=5_000))


async def reprocess(tx: Transaction, tenant_id: TenantId, call_id: str, now: datetime) -> str:
    """Queue a further run and return the id of its job."""
    call = await store.lock(tx, tenant_id, call_id)
    if call.status is not CallStatus.COMPLETED:
        raise CallNotCompleted
    revision = await intelligence.begin(tx, call.id, now)
    await store.change(tx, call.id, intelligence_status=IntelligenceStatus.PENDING)
    await record(tx, call.id, Source.POST_CALL, "Post-call analysis queued", now)
    data = {"call_id": call.id, "tenant_id": tenant_id, "revision": revision}
    return await enqueue(tx, ANALYSE, NewJob(data, id=f"{call.id}-{revision}"))


def analyser(clock: Clock) -> Callable[[Transaction, Mapping[str, Any]], Awaitable[None]]:
    """The job. A call in which nobody said a word has nothing to be analysed, and the result says so."""

    async def analyse(tx: Transaction, job: Mapping[str, Any]) -> None:
        call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
        said = await transcripts.of_call(tx, call.id)
        error = _NO_ENGINE if said else _NO_TRANSCRIPT
        now = clock.now()
        await intelligence.finish(tx, call.id, job["revision"], IntelligenceStatus.FAILED, now, errors=[error])
        await store.change(tx, call.id, intelligence_status=IntelligenceStatus.FAILED)
        await record(
            tx, call.id, Source.POST_CALL, f"Post-call analysis failed: {error['message']}", now, Level.WARNING
        )

    return analyse


_NO_TRANSCRIPT = {"step": "transcript", "code": "no_transcript", "message": "nothing was said in this call"}
_NO_ENGINE = {"step": "summary", "code": "no_engine", "message": "no analysis engine is configured"}
