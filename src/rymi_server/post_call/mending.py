"""Finds calls whose end was not taken care of, or not to the end, and sets them going again.

Every step may be done again, so nothing is asked but whether it is still missing and nobody is at it.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from rymi_server.calls import store
from rymi_server.calls.models import IntelligenceStatus, calls
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.intelligence.analysis import AnalysisResult
from rymi_server.post_call import analyse, progress
from rymi_server.post_call.announce import announce_now
from rymi_server.post_call.begin import FINALIZE, begin
from rymi_server.post_call.forget import delete_again
from rymi_server.post_call.progress import Progress, post_call_progress
from rymi_server.post_call.record import LAY, TRIED_FOR, given_up_job, lay_job
from rymi_server.queue.counts import still_live
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.recordings.models import recordings
from rymi_server.recordings.segments import extent_in, recording_segments

log = structlog.get_logger(__name__)

_PIECES_TURN_UP_WITHIN = timedelta(days=30)
# By one of the sweeps since, however long none has run.
_PIECES_ARE_SEEN_WITHIN = timedelta(days=1)
_READING_IS_MISSED_AFTER = timedelta(minutes=2)
_ANALYSIS_GIVEN_UP_AFTER = timedelta(hours=1)
_LOST = {"part": "analysis", "code": "analysis_lost", "message": "the analysis failed again and again", "fatal": True}


class Mender:
    """The sweeps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def forgotten(self, tx: Transaction) -> None:
        """Ended calls of which nothing more was heard."""
        for call_id, tenant_id in await progress.forgotten(tx, self._clock.now()):
            log.warning("post_call_forgotten", call_id=call_id)
            await begin(tx, await store.lock(tx, TenantId(tenant_id), call_id))

    async def unfinished(self, tx: Transaction) -> None:
        """Calls on whose way something was lost."""
        waiting = await progress.unfinished(tx, self._clock.now())
        at_work = await still_live(tx, FINALIZE.queue, "call_id", [each.call_id for each in waiting])
        for each in waiting:
            if each.call_id not in at_work:
                await self._go_on(tx, each)

    async def unrecorded(self, tx: Transaction) -> None:
        """Recordings that were still being made when their call was told of, and whose job was lost since."""
        now = self._clock.now()
        waiting = await progress.unrecorded(tx, now)
        at_work = await still_live(tx, LAY.queue, "call_id", [each.call_id for each in waiting])
        for each in waiting:
            if each.call_id in at_work:
                continue
            log.warning("recording_resumed", call_id=each.call_id)
            goes_on = now - each.begun_at < TRIED_FOR
            await enqueue(tx, LAY, (lay_job if goes_on else given_up_job)(each.call_id, each.tenant_id))

    async def late_pieces(self, tx: Transaction) -> None:
        """Recordings of which a piece turned up after they were made: a torn one, repaired where its agent had died."""
        made_of, there = recordings.c.metadata["pieces"], extent_in()
        lately = recording_segments.c.reported_at > self._clock.now() - _PIECES_ARE_SEEN_WITHIN
        late = (
            sa.select(post_call_progress.c.call_id, post_call_progress.c.tenant_id, there)
            .join(recording_segments, recording_segments.c.call_id == post_call_progress.c.call_id)
            .join(recordings, recordings.c.call_id == post_call_progress.c.call_id)
            .where(recordings.c.deleted_at.is_(None), post_call_progress.c.recorded_at.is_not(None))
            .where(post_call_progress.c.begun_at > self._clock.now() - _PIECES_TURN_UP_WITHIN)
            .where(post_call_progress.c.call_id.in_(sa.select(recording_segments.c.call_id).where(lately)))
            .group_by(post_call_progress.c.call_id, post_call_progress.c.tenant_id, made_of)
            .having(made_of != there)
            .limit(100)
        )
        for call_id, tenant_id, pieces in (await tx.execute(late)).all():
            # Named for the pieces, so that it is done once however often it is found meanwhile.
            number = f"lay-{call_id}-{pieces['count']}-{pieces['duration_ms']}"
            await enqueue(tx, LAY, NewJob({"call_id": call_id, "tenant_id": tenant_id}, id=number))

    async def pieces_of_deleted(self, tx: Transaction) -> None:
        """Pieces that turned up after somebody had the recording deleted: they go the same way."""
        late = (
            sa.select(calls.c.id, calls.c.tenant_id)
            .join(recordings, recordings.c.call_id == calls.c.id)
            .where(recordings.c.deleted_at.is_not(None))
            .where(sa.exists().where(recording_segments.c.call_id == calls.c.id))
            .limit(100)
        )
        for call_id, tenant_id in (await tx.execute(late)).all():
            await delete_again(tx, call_id, tenant_id)

    async def lost_readings(self, tx: Transaction) -> None:
        """Further readings of calls that were done with long ago: nothing else waits for these."""
        now = self._clock.now()
        waiting = await intelligence.lost(tx, now - _READING_IS_MISSED_AFTER)
        at_work = await still_live(tx, analyse.ANALYSE.queue, "call_id", [each[0] for each in waiting])
        for call_id, tenant_id, revision, since in waiting:
            so_far = await progress.of_call(tx, call_id)
            if call_id not in at_work and so_far is not None and so_far.done_at is not None:
                await self._read_again(tx, TenantId(tenant_id), call_id, revision, since)

    async def _go_on(self, tx: Transaction, at: Progress) -> None:
        now = self._clock.now()
        call = await store.lock(tx, at.tenant_id, at.call_id)
        log.warning("post_call_resumed", call_id=call.id)
        if at.finalized_at is None:
            await enqueue(tx, FINALIZE, NewJob({"call_id": call.id, "tenant_id": call.tenant_id}))
            return
        if at.recorded_at is None:
            await enqueue(tx, LAY, lay_job(call.id, call.tenant_id))
        if at.analysed_at is None:
            await self._analyse(tx, at)
            return
        if now - at.begun_at > timedelta(minutes=1):
            await announce_now(tx, call)

    async def _analyse(self, tx: Transaction, at: Progress) -> None:
        """A run that fails whatever is done is ended as failed, so that the rest of the call is told."""
        run = await intelligence.newest(tx, at.call_id)
        if run is None or run.status is not IntelligenceStatus.PENDING:
            return
        await self._read_again(tx, at.tenant_id, at.call_id, run.revision, at.begun_at)

    async def _read_again(
        self, tx: Transaction, tenant_id: TenantId, call_id: str, revision: int, since: datetime
    ) -> None:
        if self._clock.now() - since > _ANALYSIS_GIVEN_UP_AFTER:
            lost = AnalysisResult(errors=(_LOST,))
            await analyse.keep(tx, tenant_id, call_id, revision, lost, self._clock.now())
            return
        data = {"call_id": call_id, "tenant_id": tenant_id, "revision": revision}
        await enqueue(tx, analyse.ANALYSE, NewJob(data))
