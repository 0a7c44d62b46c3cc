"""Makes the recording of a call out of its pieces, when all of them are there, and again when one turns up late.

The files have the same names each time, so doing it again (its worker was killed) leaves nothing behind. While the
storage is away or a disk is full it is tried on for a day; the rest of the call is finished meanwhile.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from rymi_server.calls import store
from rymi_server.calls.models import Call
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.foundation.object_storage import NoSuchObject, ObjectStorage, StorageUnavailable
from rymi_server.post_call import progress, quality
from rymi_server.post_call.announce import announce_now
from rymi_server.post_call.encode import ENCODE, encode_job
from rymi_server.post_call.facts import RecordingReady
from rymi_server.post_call.own_process import run_module
from rymi_server.post_call.wishes import wants_consent
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.facts import publish
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.queue.later import Later
from rymi_server.recordings import segments
from rymi_server.recordings import store as recordings
from rymi_server.recordings.deposit import folder_of
from rymi_server.recordings.models import RecordingStatus
from rymi_server.recordings.segments import Segment
from rymi_server.recordings.workroom import workroom

log = structlog.get_logger(__name__)

LAY = JobKind("post_call", "lay", attempts=10, backoff=Backoff(first_ms=2_000))
TRIED_FOR = timedelta(hours=24)
_AT_ONCE = 2
_PATIENCE = timedelta(minutes=10)


def lay_job(call_id: str, tenant_id: str) -> NewJob:
    return NewJob({"call_id": call_id, "tenant_id": tenant_id}, id=new_prefixed("job"))


def given_up_job(call_id: str, tenant_id: str) -> NewJob:
    """For a recording whose workers die of it."""
    return NewJob({"call_id": call_id, "tenant_id": tenant_id, "given_up": True}, id=f"given-up-{call_id}")


class CannotLay(Unavailable):
    """The process that lays a recording together has failed."""

    code = "recording_not_laid"

    def __init__(self, why: str) -> None:
        super().__init__(f"The recording could not be put together: {why}", retryable=True)


class Recorder:
    """The job."""

    def __init__(self, database: Database, storage: ObjectStorage, clock: Clock) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def __call__(self, job: Mapping[str, Any]) -> None:
        async with self._database.transaction() as tx:
            call = await store.get(tx, TenantId(job["tenant_id"]), job["call_id"])
            pieces = await segments.of_call(tx, call.id)
            agent = await store.frozen_agent(tx, call.id)
            if await _is_made(tx, call, pieces):
                await announce_now(tx, call)
                return
        if not pieces:
            await self._end_without(call, consent=wants_consent(agent))
            return
        if job.get("given_up"):
            await self._end_with(call, pieces, {"error": CannotLay.code})
            return
        try:
            async with self._turns:
                metadata = await self._lay(call, pieces)
        except (StorageUnavailable, CannotLay) as error:
            await self._put_off(call, pieces, error)
            return
        except OSError as error:
            await self._put_off(call, pieces, CannotLay(error.strerror or type(error).__name__))
            return
        await self._end_with(call, pieces, metadata)

    async def _lay(self, call: Call, pieces: Sequence[Segment]) -> dict[str, Any]:
        """Nothing but the pieces and what is made of them is on this machine's disk, and only meanwhile."""
        with workroom() as here:
            order = [await self._fetched(piece, here / f"{number}.wav") for number, piece in enumerate(pieces)]
            laid = await _laid(here, order)
            if not laid["duration_ms"]:
                return {"error": "no_sound", "refused": laid["refused"]}
            base = folder_of(call.tenant_id, call.id)
            await self._storage.put_file(f"{base}stereo.wav", here / "stereo.wav", "audio/wav")
            await self._storage.put_file(f"{base}peaks.json", here / "peaks.json", "application/json")
        refused = {pieces[int(index)].key.rpartition("/")[2]: why for index, why in laid["refused"].items()}
        return {
            "duration_ms": laid["duration_ms"],
            "stereo_mix": {
                "key": f"{base}stereo.wav",
                "content_type": "audio/wav",
                "bytes": laid["bytes"],
                "channels": ["people", "agent"],
            },
            "peaks": {"key": f"{base}peaks.json", "content_type": "application/json"},
            **_tracks(pieces),
            **({"refused_pieces": refused} if refused else {}),
            "speech": laid["speech"],
        }

    async def _fetched(self, piece: Segment, path: Path) -> dict[str, Any]:
        """A piece that is no longer there is refused like one that holds no sound."""
        try:
            await self._storage.fetch(piece.key, path)
        except NoSuchObject:
            log.warning("recorded_piece_missing")
        return {"path": str(path), "started_at_ms": piece.started_at_ms}

    async def _end_with(self, call: Call, pieces: Sequence[Segment], metadata: dict[str, Any]) -> None:
        ready = "error" not in metadata
        speech = metadata.pop("speech", {})
        status = RecordingStatus.READY if ready else RecordingStatus.FAILED
        metadata["pieces"] = segments.extent(pieces)
        async with self._database.transaction() as tx:
            await store.lock(tx, call.tenant_id, call.id)
            if await _is_made(tx, call, pieces):  # By a job that was taken for dead.
                return
            name = segments.recorders_id(pieces) if ready else None
            kept = await recordings.put(tx, call.id, status, metadata, self._clock.now(), name)
            if kept:
                await self._told(tx, call, status, speech)
        if not kept:
            await self._leave_nothing(call)

    async def _told(self, tx: Transaction, call: Call, status: RecordingStatus, speech: dict[str, Any]) -> None:
        now = self._clock.now()
        first = await progress.note(tx, call.id, "recorded", now)
        if not first:
            await progress.renew(tx, call.id, "recorded", now)
        if status is RecordingStatus.READY:
            await quality.measure(tx, call, speech, now)
            await enqueue(tx, ENCODE, encode_job(call.id, call.tenant_id))
            await publish(tx, RecordingReady(call.id, call.tenant_id))
        level, said = _SAID[status]
        await record(tx, call.id, Source.POST_CALL, said, now, level)
        await announce_now(tx, call)

    async def _end_without(self, call: Call, *, consent: bool) -> None:
        """Nothing was recorded: because nobody consented, or because the agent was lost with its disk."""
        status = RecordingStatus.DISABLED if consent else RecordingStatus.FAILED
        metadata = {"reason": "no_consent"} if consent else {"error": "nothing_recorded"}
        kept, now = True, self._clock.now()
        async with self._database.transaction() as tx:
            await store.lock(tx, call.tenant_id, call.id)
            if await progress.note(tx, call.id, "recorded", now):
                kept = await recordings.put(tx, call.id, status, {**metadata, "pieces": segments.extent([])}, now)
                await quality.measure(tx, call, None, now)
                if kept:
                    level, said = _SAID[status]
                    await record(tx, call.id, Source.POST_CALL, said, now, level)
            await announce_now(tx, call)
        if not kept:
            await self._leave_nothing(call)

    async def _leave_nothing(self, call: Call) -> None:
        """It was deleted while it was made. Its pieces are on no list any more, so nobody else would find the files."""
        await delete_files(self._storage, call.tenant_id, call.id)

    async def _put_off(self, call: Call, pieces: Sequence[Segment], error: StorageUnavailable | CannotLay) -> None:
        assert call.ended_at is not None
        waited = self._clock.now() - call.ended_at
        if error.retryable and waited < TRIED_FOR:
            log.warning("recording_put_off", error=error.message)
            wait = min(_PATIENCE, max(timedelta(seconds=1), waited / 4))
            raise Later(int(wait.total_seconds() * 1000))
        await self._end_with(call, pieces, {"error": error.code, "message": error.message})


async def _is_made(tx: Transaction, call: Call, pieces: Sequence[Segment]) -> bool:
    """Whether the recording stands as these pieces make it: then there is nothing to do, and nothing to tell again."""
    found = await recordings.latest(tx, call.id)
    return found is not None and found.metadata.get("pieces") == segments.extent(pieces)


async def delete_files(storage: ObjectStorage, tenant_id: str, call_id: str) -> None:
    """Everything that was recorded of a call."""
    for key in await storage.keys_below(folder_of(tenant_id, call_id)):
        await storage.delete(key)


async def _laid(here: Path, pieces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    order = here / "order.json"
    whole, outline = str(here / "stereo.wav"), str(here / "peaks.json")
    order.write_text(json.dumps({"pieces": list(pieces), "into": whole, "outline": outline}))
    laying = await run_module("rymi_server.recordings.laying", str(order))
    if not laying.done:
        raise CannotLay(laying.complaint[:300])
    laid: dict[str, Any] = json.loads(laying.said)
    return laid


def _tracks(pieces: Sequence[Segment]) -> dict[str, Any]:
    """Files of single speakers, where the agent was asked for them: one for each piece in which they were heard."""
    tracks = [
        {"participant": who, "key": key, "content_type": "audio/wav", "started_at_ms": piece.started_at_ms}
        for piece in pieces
        for who, key in sorted(piece.tracks.items())
    ]
    return {"tracks": tracks} if tracks else {}


_SAID = {
    RecordingStatus.READY: (Level.INFO, "Recording is ready"),
    RecordingStatus.FAILED: (Level.ERROR, "Recording failed"),
    RecordingStatus.DISABLED: (Level.INFO, "Nothing was recorded: nobody consented"),
}
