"""Analyses what was said in a call. Each run keeps a result of its own; the newest is what is shown.

No transaction is open while a model is asked. A run that is done again (its worker was killed) writes the same row.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from rymi_server.calls import store
from rymi_server.calls.models import IntelligenceStatus
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.intelligence.analysis import AnalysisRequest, AnalysisResult
from rymi_server.post_call import progress
from rymi_server.post_call.announce import announce_now
from rymi_server.post_call.facts import PostCallCompleted
from rymi_server.queue.facts import publish
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.tenants import store as tenants
from rymi_server.transcripts import store as transcripts

ANALYSE = JobKind("post_call", "analyse", attempts=5, backoff=Backoff(first_ms=5_000))


# Finds out what is asked for. What cannot be found out is in the result's errors, not raised.
Analyse: TypeAlias = Callable[[AnalysisRequest], Awaitable[AnalysisResult]]


class Analyser:
    """The job."""

    def __init__(self, database: Database, analyse: Analyse, clock: Clock) -> None:
        self._database = database
        self._analyse = analyse
        self._clock = clock

    async def __call__(self, job: Mapping[str, Any]) -> None:
        tenant_id, revision = TenantId(job["tenant_id"]), int(job["revision"])
        async with self._database.transaction() as tx:
            request = await _request(tx, tenant_id, job["call_id"], revision)
        result = await self._analyse(request)
        async with self._database.transaction() as tx:
            await keep(tx, tenant_id, job["call_id"], revision, result, self._clock.now())


async def keep(
    tx: Transaction, tenant_id: TenantId, call_id: str, revision: int, result: AnalysisResult, now: datetime
) -> None:
    """What was found, and what was not, once for each run. Parts that were found stand beside those that were not."""
    call = await store.lock(tx, tenant_id, call_id)
    status = IntelligenceStatus.FAILED if result.failed else IntelligenceStatus.COMPLETED
    kept = await intelligence.finish(
        tx,
        call.id,
        revision,
        status,
        now,
        summary=result.summary,
        sentiment=result.sentiment,
        structured_data=result.structured_data,
        evaluation=result.evaluation,
        errors=[dict(error) for error in result.errors],
        details={"methods": _plain(result.methods), "provenance": _plain(result.provenance)},
    )
    if not kept:
        return
    await _show(tx, call.id, revision, status, result, now)
    await progress.note(tx, call.id, "analysed", now)
    so_far = await progress.of_call(tx, call.id)
    if so_far is not None and so_far.done_at is None:
        await announce_now(tx, call)
    else:
        await publish(tx, PostCallCompleted(call.id, tenant_id, revision))


async def _show(
    tx: Transaction,
    call_id: CallId,
    revision: int,
    status: IntelligenceStatus,
    result: AnalysisResult,
    now: datetime,
) -> None:
    """An older run that ends late does not stand for the newest."""
    newest = await intelligence.newest(tx, call_id)
    if newest is not None and newest.revision == revision:
        await store.change(tx, call_id, intelligence_status=status)
    if status is IntelligenceStatus.COMPLETED:
        await record(tx, call_id, Source.POST_CALL, "Post-call analysis completed.", now)
    else:
        await record(tx, call_id, Source.POST_CALL, "Post-call analysis failed.", now, Level.ERROR)
    for error in result.errors:
        said = f"Post-call analysis: {error.get('message', 'a part failed')}"[:2_000]
        await record(tx, call_id, Source.POST_CALL, said, now, Level.WARNING)


async def _request(tx: Transaction, tenant_id: TenantId, call_id: str, revision: int) -> AnalysisRequest:
    call = await store.get(tx, tenant_id, call_id)
    return AnalysisRequest(
        entries=await transcripts.of_call(tx, call.id),
        post_call=await intelligence.config_of(tx, call.id, revision),
        agent=await store.frozen_agent(tx, call.id),
        variables=call.variables,
        end_reason=call.end_reason,
        started_at=call.started_at,
        time_zone=await tenants.time_zone(tx, tenant_id),
    )


def _plain(by_name: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: dict(value) for name, value in by_name.items()}
