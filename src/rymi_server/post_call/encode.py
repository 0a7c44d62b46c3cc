"""Makes the small copy of a recording, when nobody waits any more. Where it cannot be made, there is none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from rymi_server.calls import store
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.object_storage import NoSuchObject, ObjectStorage
from rymi_server.post_call.own_process import run_module
from rymi_server.queue.enqueue import NewJob
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.queue.later import Later
from rymi_server.recordings import store as recordings
from rymi_server.recordings.deposit import folder_of
from rymi_server.recordings.opus import can_encode
from rymi_server.recordings.workroom import workroom

log = structlog.get_logger(__name__)

# A storage that is away may stay so for hours.
ENCODE = JobKind("encode", "encode", attempts=10, backoff=Backoff(first_ms=30_000))
_AGAIN_MS = 1_000


def encode_job(call_id: str, tenant_id: str) -> NewJob:
    return NewJob({"call_id": call_id, "tenant_id": tenant_id})


class Encoder:
    """The job."""

    def __init__(self, database: Database, storage: ObjectStorage) -> None:
        self._database = database
        self._storage = storage

    async def __call__(self, job: Mapping[str, Any]) -> None:
        if not can_encode():
            return
        async with self._database.transaction() as tx:
            call = await store.get(tx, TenantId(job["tenant_id"]), job["call_id"])
            recording = await recordings.latest(tx, call.id)
        if recording is None:
            return  # It was deleted meanwhile.
        base = folder_of(call.tenant_id, call.id)
        with workroom() as folder:
            wav, ogg = folder / "stereo.wav", folder / "stereo.ogg"
            try:
                await self._storage.fetch(f"{base}stereo.wav", wav)
            except NoSuchObject:
                return  # It was deleted meanwhile.
            if not await _encoded(wav, ogg):
                return
            size = ogg.stat().st_size
            await self._storage.put_file(f"{base}stereo.ogg", ogg, "audio/ogg")
        about = {"key": f"{base}stereo.ogg", "content_type": "audio/ogg", "bytes": size}
        async with self._database.transaction() as tx:
            kept = await recordings.add_to_metadata(tx, call.id, {"opus": about}, recording.metadata.get("pieces"))
            now = None if kept else await recordings.latest(tx, call.id)
        if now is not None:  # A late piece has made another recording of it.
            raise Later(_AGAIN_MS)
        if not kept:
            await self._storage.delete(f"{base}stereo.ogg")


async def _encoded(wav: Path, ogg: Path) -> bool:
    encoding = await run_module("rymi_server.recordings.opus", str(wav), str(ogg))
    if not encoding.done:
        log.warning("recording_not_encoded", error=encoding.complaint)
    return encoding.done
