"""Recordings that nobody keeps any longer, and what turns up of them afterwards."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.integration.after_the_call.looking import RECORDED
from tests.support.after_calls import (
    ended_call,
    finished,
    recorded,
    settings_with,
    sound,
    working,
)
from tests.support.asking import Customer
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.calls import store as calls
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.post_call.begin import begin
from rymi_server.post_call.finalize import Finalizer
from rymi_server.post_call.forget import FileDeleter, delete_old
from rymi_server.post_call.mending import Mender
from rymi_server.post_call.record import Recorder
from rymi_server.recordings import store as recordings
from rymi_server.recordings.deposit import folder_of
from rymi_server.tenants.store import keep_recordings


class TestRecordings:
    async def test_are_deleted_when_their_tenant_keeps_them_no_longer(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        key = await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        storage = settings_with(own_database, tmp_path).storage()
        async with working(own_database, tmp_path):
            await finished(own_database, call_id)
            clock = SetClock.from_now()
            clock.pass_by(days=31)
            async with own_database.transaction() as tx:
                await delete_old(tx, clock)
                assert await recordings.latest(tx, CallId(call_id)) is not None
                await keep_recordings(tx, acme.tenant.id, 30)
                await delete_old(tx, clock)

            async def gone() -> bool:
                return await storage.keys_below(folder_of(acme.tenant.id, call_id)) == []

            await until("the files to be gone", gone, seconds=30)
        assert await storage.size(key) is None
        assert (await acme.get(f"/v1/calls/{call_id}/recording")).status_code == 404

    async def test_take_with_them_what_turns_up_after_they_were_deleted(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        storage = settings_with(own_database, tmp_path).storage()

        async def gone() -> bool:
            return await storage.keys_below(folder_of(acme.tenant.id, call_id)) == []

        async with working(own_database, tmp_path):
            await finished(own_database, call_id)
            assert (await acme.ask("DELETE", f"/v1/calls/{call_id}/recording")).status_code == 200
            await until("the files to be gone", gone, seconds=30)
            await recorded(own_database, tmp_path, acme, call_id, sound(1), number=1)
            assert not await gone()
            async with own_database.transaction() as tx:
                await Mender(SystemClock()).pieces_of_deleted(tx)
            await until("the late piece to be gone", gone, seconds=30)
        async with own_database.transaction() as tx:
            await Mender(SystemClock()).pieces_of_deleted(tx)
            assert (await tx.execute(sa.text("select count(*) from recording_segments"))).scalar_one() == 0

    async def test_leave_nothing_where_they_are_deleted_as_a_worker_dies_that_makes_them(
        self, own_database: Database, acme: Customer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        job = {"tenant_id": acme.tenant.id, "call_id": call_id}
        async with own_database.transaction() as tx:
            await begin(tx, await calls.lock(tx, acme.tenant.id, CallId(call_id)))
        await Finalizer(own_database, SystemClock())(job)
        storage = settings_with(own_database, tmp_path).storage()
        store = storage.put_file

        async def store_and_die(key: str, path: Path, content_type: str) -> None:
            assert (await acme.ask("DELETE", f"/v1/calls/{call_id}/recording")).status_code == 200
            await FileDeleter(storage)(job)
            await store(key, path, content_type)
            raise _KilledError

        monkeypatch.setattr(storage, "put_file", store_and_die)
        with pytest.raises(_KilledError):
            await Recorder(own_database, storage, SystemClock())(job)
        monkeypatch.undo()
        assert await storage.keys_below(folder_of(acme.tenant.id, call_id))
        await Recorder(own_database, storage, SystemClock())(job)
        assert await storage.keys_below(folder_of(acme.tenant.id, call_id)) == []


class _KilledError(Exception):
    """Nothing that comes after this is done."""
