"""What comes after a call where something is away, late, dead or very long."""

import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.integration.after_the_call.looking import RECORDED, detail_of, has, shows
from tests.support.after_calls import (
    TALK,
    ended_call,
    finished,
    receiver,
    recorded,
    sound,
    webhook,
    working,
)
from tests.support.asking import Customer
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.post_call.mending import Mender

_LAYING = "select count(*) from bullmq.job where name = 'lay' and state in ('waiting', 'active', 'delayed')"


@contextlib.contextmanager
def _storage_away(folder: Path) -> Iterator[None]:
    (folder / "storage").rename(folder / "away")
    (folder / "storage").write_bytes(b"no folder any more")
    yield
    (folder / "storage").unlink()
    (folder / "away").rename(folder / "storage")


async def _status(acme: Customer, call_id: str) -> str:
    status: str = (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]["status"]
    return status


def _is(acme: Customer, call_id: str, status: str) -> Callable[[], Awaitable[bool]]:
    async def found() -> bool:
        return await _status(acme, call_id) == status

    return found


class TestABadDay:
    async def test_with_the_storage_away_keeps_the_recording_for_later(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        async with working(own_database, tmp_path):
            with _storage_away(tmp_path):
                await until("the analysis", shows(acme, call_id, "Post-call analysis completed."))
                assert await _status(acme, call_id) == "pending"
            await finished(own_database, call_id, seconds=60)
        assert await _status(acme, call_id) == "ready"

    async def test_with_a_full_disk_keeps_the_recording_for_later(
        self, own_database: Database, acme: Customer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no room"))
        async with working(own_database, tmp_path):
            await until("the analysis", shows(acme, call_id, "Post-call analysis completed."))
            assert await _status(acme, call_id) == "pending"
            monkeypatch.undo()
            await finished(own_database, call_id, seconds=60)
        assert await _status(acme, call_id) == "ready"

    @pytest.mark.parametrize(("hours_ago", "status"), [(1, "ready"), (25, "failed")])
    async def test_that_loses_the_job_of_a_recording_makes_it_within_a_day_or_says_that_there_is_none(
        self, hours_ago: int, status: str, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        with _storage_away(tmp_path):
            async with working(own_database, tmp_path):
                await until("the analysis", shows(acme, call_id, "Post-call analysis completed."))
        async with own_database.transaction() as tx:
            await tx.execute(sa.text("delete from bullmq.job where queue = 'post_call'"))
            told = "update post_call_progress set begun_at = now() - :ago, done_at = now() - :ago + interval '1 minute'"
            await tx.execute(sa.text(told), {"ago": timedelta(hours=hours_ago)})
            await Mender(SystemClock()).unrecorded(tx)
        async with working(own_database, tmp_path):
            await until("the recording to be settled", _is(acme, call_id, status), seconds=60)
        async with own_database.transaction() as tx:
            await Mender(SystemClock()).unrecorded(tx)
            assert (await tx.execute(sa.text(_LAYING))).scalar_one() == 0

    async def test_with_an_agent_that_died_says_that_nothing_was_recorded_until_its_piece_turns_up(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        async with working(own_database, tmp_path):
            await finished(own_database, call_id)
        assert (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]["status"] == "failed"
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]), started_at_ms=500)
        async with own_database.transaction() as tx:
            await Mender(SystemClock()).late_pieces(tx)
        async with working(own_database, tmp_path):
            await until("the recording", shows(acme, call_id, "Recording is ready"), seconds=60)
        recording = (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
        assert (recording["status"], recording["metadata"]["duration_ms"]) == ("ready", 1_500)

    async def test_on_which_a_piece_came_while_the_others_were_laid_misses_none(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        async with working(own_database, tmp_path):
            await finished(own_database, call_id)
            await recorded(own_database, tmp_path, acme, call_id, sound(1), started_at_ms=2_000, number=1)
            async with own_database.transaction() as tx:
                # It was reported in time, by a transaction that the others did not see yet.
                await tx.execute(sa.text("update recording_segments set reported_at = reported_at - interval '1 hour'"))
                for _ in range(2):
                    await Mender(SystemClock()).late_pieces(tx)
            await until("the longer recording", _lasts(acme, call_id, 3_000))
            async with own_database.transaction() as tx:
                await Mender(SystemClock()).late_pieces(tx)
                assert (await tx.execute(sa.text(_LAYING))).scalar_one() == 0
        said = [each["message"] for each in (await detail_of(acme, call_id))["events"]]
        assert said.count("Recording is ready") == 2

    async def test_that_lost_every_job_is_made_up_for(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme)
        clock = SetClock.from_now()
        clock.pass_by(minutes=5)
        async with own_database.transaction() as tx:
            await tx.execute(sa.text("delete from bullmq.job"))
            await Mender(clock).forgotten(tx)
        async with working(own_database, tmp_path):
            await finished(own_database, call_id)
        assert (await detail_of(acme, call_id))["bill_duration"] > 0

    async def test_on_which_a_further_reading_is_lost_is_read_all_the_same_and_given_up_after_an_hour(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async with working(own_database, tmp_path):
            call_id = await ended_call(own_database, acme)
            await finished(own_database, call_id)
        clock = SetClock.from_now()
        for revision, minutes, status in ((2, 3, "completed"), (3, 70, "failed")):
            assert (await acme.post(f"/v1/calls/{call_id}/reprocess")).status_code == 202
            clock.pass_by(minutes=minutes)
            async with own_database.transaction() as tx:
                await tx.execute(sa.text("delete from bullmq.job"))
                await Mender(clock).lost_readings(tx)
            async with working(own_database, tmp_path):
                await until("the reading to end", _read(acme, call_id, revision))
            call = await detail_of(acme, call_id)
            assert (call["intelligence_status"], call["intelligence"]["status"]) == (status, status)

    async def test_of_ten_hours_is_finished_like_any_other(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        talk = [TALK[index % len(TALK)] for index in range(9_000)]
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, "call.completed")
            call_id = await ended_call(own_database, acme, talk)
            await finished(own_database, call_id, seconds=60)
            await until("the news", has(hook, "call.completed"))
        assert hook.got[0].json["data"]["transcript"] is None
        assert len((await acme.get(f"/v1/calls/{call_id}/transcript")).json()["segments"]) == 9_000


def _read(customer: Customer, call_id: str, revision: int) -> Callable[[], Awaitable[bool]]:
    async def read() -> bool:
        return bool((await detail_of(customer, call_id))["intelligence"]["revision"] == revision)

    return read


def _lasts(customer: Customer, call_id: str, duration_ms: int) -> Callable[[], Awaitable[bool]]:
    async def lasts() -> bool:
        recording = (await customer.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
        return bool(recording["metadata"]["duration_ms"] == duration_ms)

    return lasts
