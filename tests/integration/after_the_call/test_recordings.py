"""Recordings that nobody keeps any longer, and what turns up of them afterwards."""

from pathlib import Path

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

from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.post_call.forget import delete_old
from rymi_server.post_call.mending import Mender
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
