"""Waits for an agent's last word, makes the transcript final, and lets everything else begin."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from rymi_server.calls import agent_runs, store
from rymi_server.calls.models import Call, CallStatus, IntelligenceStatus
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.post_call import progress, quality
from rymi_server.post_call.analyse import ANALYSE
from rymi_server.post_call.announce import announce_later, announce_now
from rymi_server.post_call.record import LAY, lay_job
from rymi_server.post_call.settle import settle_unused
from rymi_server.post_call.wishes import wants_recording
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.later import Later
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.models import Entry

# An agent that goes on reporting for longer than this after the end of its call is not waited for.
_LONGEST_WAIT = timedelta(seconds=60)
# Its last word makes this job's like come at once; looking is for an agent that falls silent instead.
_LOOK_AGAIN_MS = 1_000


class Finalizer:
    """The job."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, job: Mapping[str, Any]) -> None:
        async with self._database.transaction() as tx:
            call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
            now = self._clock.now()
            assert call.ended_at is not None
            waited = now - call.ended_at
            if waited < _LONGEST_WAIT and await agent_runs.still_reporting(tx, call.id, now):
                raise Later(_LOOK_AGAIN_MS)
            await self._finalize(tx, call)

    async def _finalize(self, tx: Transaction, call: Call) -> None:
        now = self._clock.now()
        if not await progress.note(tx, call.id, "finalized", now):
            return
        if call.status is not CallStatus.COMPLETED:
            await settle_unused(tx, call)
            await progress.end(tx, call.id, now)
            return
        said = await transcripts.of_call(tx, call.id)
        await transcripts.renumber(tx, call.id, in_order(said))
        await record(tx, call.id, Source.POST_CALL, "Transcript is final", now)
        await self._begin_recording(tx, call)
        await self._begin_analysis(tx, call)
        await announce_later(tx, call)

    async def _begin_recording(self, tx: Transaction, call: Call) -> None:
        if wants_recording(call):
            await enqueue(tx, LAY, lay_job(call.id, call.tenant_id))
        else:
            await quality.measure(tx, call, None, self._clock.now())
            await progress.note(tx, call.id, "recorded", self._clock.now())

    async def _begin_analysis(self, tx: Transaction, call: Call) -> None:
        """`pending` was decided with the end of the call, and says that an analysis is wanted."""
        now = self._clock.now()
        if call.intelligence_status is not IntelligenceStatus.PENDING:
            await progress.note(tx, call.id, "analysed", now)
            await announce_now(tx, call)
            return
        revision = await intelligence.begin(tx, call.id, call.post_call, now)
        data = {"call_id": call.id, "tenant_id": call.tenant_id, "revision": revision}
        await enqueue(tx, ANALYSE, NewJob(data, id=f"{call.id}-{revision}"))


def in_order(said: Sequence[Entry]) -> list[int]:
    """The lines' present numbers in the order in which the lines began. Who began first is read first."""
    return [
        entry.sequence
        for entry in sorted(
            said, key=lambda entry: (entry.started_at_ms is None, entry.started_at_ms or 0, entry.sequence)
        )
    ]
