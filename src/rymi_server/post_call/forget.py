"""Deletes recordings: when somebody says so, and when their tenant keeps them no longer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.errors import NotReady
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.post_call.record import delete_files
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.recordings import segments
from rymi_server.recordings import store as recordings

DELETE_FILES = JobKind("encode", "delete_files", attempts=20, backoff=Backoff(first_ms=5_000))


async def delete_recording(tx: Transaction, tenant_id: TenantId, call_id: str, now: datetime) -> None:
    """It is not shown from now on, and its files go soon, however often that takes."""
    call = await store.lock(tx, tenant_id, call_id)
    if await recordings.latest(tx, call.id) is None:
        raise NotReady("Recording not available")
    await recordings.mark_deleted(tx, call.id, now)
    await record(tx, call.id, Source.POST_CALL, "Recording deleted", now)
    await _delete_files_soon(tx, call.id, call.tenant_id)


async def delete_again(tx: Transaction, call_id: str, tenant_id: str) -> None:
    """Once more, for what was brought after it had been deleted."""
    await segments.forget(tx, call_id)
    await _delete_files_soon(tx, call_id, tenant_id)


async def _delete_files_soon(tx: Transaction, call_id: str, tenant_id: str) -> None:
    data = {"call_id": call_id, "tenant_id": tenant_id}
    await enqueue(tx, DELETE_FILES, NewJob(data, id=new_prefixed("job")))


async def delete_old(tx: Transaction, clock: Clock) -> None:
    now = clock.now()
    for call_id, tenant_id in await recordings.kept_too_long(tx, now):
        await delete_recording(tx, TenantId(tenant_id), call_id, now)


class FileDeleter:
    """The job."""

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    async def __call__(self, job: Mapping[str, Any]) -> None:
        await delete_files(self._storage, job["tenant_id"], job["call_id"])
