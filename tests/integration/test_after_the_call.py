"""What comes after a call, done by a real worker: final, analysed, settled, told."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from tests.support.after_calls import (
    TALK,
    Receiver,
    agent_closes,
    agent_of,
    ended_call,
    finished,
    new_call,
    receiver,
    recorded,
    settings_with,
    sound,
    webhook,
    working,
)
from tests.support.asking import Customer, client_for, new_customer
from tests.support.calling import everybody_joins, say
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.calls.facts import AgentClosed
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.post_call.forget import delete_old
from rymi_server.post_call.mending import Mender
from rymi_server.queue.facts import publish
from rymi_server.recordings import store as recordings
from rymi_server.recordings.deposit import folder_of
from rymi_server.tenants.store import keep_recordings, set_time_zone

_NOON = 12
RECORDED = {"post_call": {"recording": {"enabled": True}}}
EVERYTHING = (
    "call.started",
    "participant.joined",
    "participant.left",
    "call.recording.ready",
    "call.completed",
    "call.intelligence.ready",
    "call.failed",
)


@pytest.fixture
async def api(own_database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = (tmp_path / "storage").as_uri()
    async with client_for(
        own_database, storage_url=store, allow_private_webhooks=True, public_base_url="http://api.test"
    ) as client:
        yield client


@pytest.fixture
async def acme(own_database: Database, api: httpx.AsyncClient) -> Customer:
    return await new_customer(own_database, api)


async def detail_of(customer: Customer, call_id: str) -> dict[str, Any]:
    answer = await customer.get(f"/v1/calls/{call_id}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


class TestACall:
    async def test_is_finished_step_by_step_and_told_in_order(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, *EVERYTHING)
            call_id = await new_call(acme, **RECORDED)
            await everybody_joins(own_database, call_id, seconds_ago=0)
            await say(own_database, call_id, *TALK)
            content = sound(4, people=[(0.5, 1.5)], agent=[(2.0, 3.0)])
            await recorded(own_database, tmp_path, acme, call_id, content)
            assert (await acme.post(f"/v1/calls/{call_id}/end")).status_code == 200
            await finished(own_database, call_id)
            await until("all webhooks", _has(hook, "call.intelligence.ready"))
        assert hook.events == [
            "call.started",
            "participant.joined",
            "participant.left",
            "call.recording.ready",
            "call.completed",
            "call.intelligence.ready",
        ]
        call = await detail_of(acme, call_id)
        assert call["bill_duration"] == 30
        messages = [(each["source"], each["message"]) for each in call["events"]]
        for said in ("Transcript is final", "Recording is ready", "Bill settled"):
            assert messages.count(("post_call", said)) == 1
        recording = (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
        assert recording["status"] == "ready"
        mix = recording["metadata"]["stereo_mix"]
        assert "key" not in json.dumps(recording)
        played = await acme.http.get(mix["signed_url"])
        assert played.content[44:] == content
        assert (await acme.http.get(recording["metadata"]["peaks"]["signed_url"])).json()["channels"] == 2

    async def test_waits_for_the_last_word_of_its_agent(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await new_call(acme)
        await everybody_joins(own_database, call_id)
        await agent_of(own_database, call_id)
        await acme.post(f"/v1/calls/{call_id}/end")
        async with working(own_database, tmp_path):
            await until("the bill", _billed(acme, call_id))
            assert "Transcript is final" not in [e["message"] for e in (await detail_of(acme, call_id))["events"]]
            await say(own_database, call_id, *TALK)
            await agent_closes(own_database, call_id)
            async with own_database.transaction() as tx:
                await publish(tx, AgentClosed(call_id, acme.tenant.id, "1"))
            await finished(own_database, call_id)
        assert await _was_done(own_database, f"finalize-{call_id}-1"), "nobody needs to look again"
        assert (await detail_of(acme, call_id))["transcript"]["text"].startswith("Caller: Hello")

    async def test_that_nobody_came_to_has_failed_and_costs_nothing(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, *EVERYTHING)
            call_id, clock = await new_call(acme, **RECORDED), SetClock.from_now()
            clock.pass_by(seconds=61)
            await JoinTimeouts(own_database, clock, timedelta(seconds=60)).sweep()
            await finished(own_database, call_id)
            await until("the news", _has(hook, "call.failed"))
        call = await detail_of(acme, call_id)
        assert (call["status"], call["bill_duration"], call["total_cost"]) == ("failed", 0, 0)
        assert call["intelligence_status"] == "not_started"
        assert hook.got[-1].json["data"]["status"] == "failed"

    async def test_is_understood_where_its_tenant_is(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        """`Tomorrow` is another date there than in UTC, whatever time it is now."""
        behind = datetime.now(UTC).hour < _NOON
        there = ZoneInfo("Etc/GMT+12" if behind else "Etc/GMT-14")
        async with own_database.transaction() as tx:
            await set_time_zone(tx, acme.tenant.id, str(there))
        schema = {"type": "object", "properties": {"date": {"type": "string", "format": "date"}}}
        talk = (("user", "browser-1", "I would like to come tomorrow."), ("agent", None, "Of course."))
        wanted = {"structured_extraction": {"json_schema": schema}}
        async with working(own_database, tmp_path):
            call_id = await ended_call(own_database, acme, talk, post_call=wanted)
            await finished(own_database, call_id)
        call = await detail_of(acme, call_id)
        begun = datetime.fromisoformat(call["started_at"])
        expected = (begun.astimezone(there) + timedelta(days=1)).date()
        assert expected != (begun + timedelta(days=1)).date()
        assert call["intelligence"]["structured_data"] == {"date": expected.isoformat()}

    async def test_without_a_recording_says_that_it_was_not_asked_for(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async with working(own_database, tmp_path):
            call_id = await ended_call(own_database, acme)
            await finished(own_database, call_id)
        answer = await acme.get(f"/v1/calls/{call_id}/recording")
        assert answer.json()["recording"]["status"] == "disabled"


def _has(hook: Receiver, event: str) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return event in hook.events

    return has


def _billed(customer: Customer, call_id: str) -> Callable[[], Awaitable[bool]]:
    async def billed() -> bool:
        return (await detail_of(customer, call_id))["bill_duration"] is not None

    return billed


async def _was_done(database: Database, job_id: str) -> bool:
    done = sa.text("select count(*) from bullmq.job where id = :id and state = 'completed'")
    async with database.transaction() as tx:
        return bool((await tx.execute(done, {"id": job_id})).scalar_one())


class TestABadDay:
    async def test_with_the_storage_away_keeps_the_recording_for_later(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id = await ended_call(own_database, acme, **RECORDED)
        await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
        (tmp_path / "storage").rename(tmp_path / "away")
        (tmp_path / "storage").write_bytes(b"no folder any more")
        async with working(own_database, tmp_path):
            await until("the analysis", _shows(acme, call_id, "Post-call analysis completed."))
            recording = (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
            assert recording["status"] == "pending"
            (tmp_path / "storage").unlink()
            (tmp_path / "away").rename(tmp_path / "storage")
            await finished(own_database, call_id, seconds=60)
        assert (await acme.get(f"/v1/calls/{call_id}/recording")).json()["recording"]["status"] == "ready"

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
            await until("the recording", _shows(acme, call_id, "Recording is ready"), seconds=60)
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
            await until("the news", _has(hook, "call.completed"))
        assert hook.got[0].json["data"]["transcript"] is None
        assert len((await acme.get(f"/v1/calls/{call_id}/transcript")).json()["segments"]) == 9_000


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


class TestMoney:
    async def test_that_runs_out_is_told_once(self, own_database: Database, acme: Customer, tmp_path: Path) -> None:
        async with receiver() as hook, working(own_database, tmp_path, low_balance_usd="9.999"):
            await webhook(acme, hook.url, "billing.low_balance", "call.completed")
            for _ in range(2):
                await finished(own_database, await ended_call(own_database, acme))

            async def both() -> bool:
                return hook.events.count("call.completed") == 2

            await until("both calls to be told", both)
        assert hook.events.count("billing.low_balance") == 1

    async def test_is_told_below_each_threshold_of_the_account(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        alerts = {"thresholds_usd": [9.95, 9.8], "low_balance_pct": 99}
        assert (await acme.ask("PUT", "/v1/billing/alerts", json=alerts)).json() == {"ok": True}
        async with receiver() as hook, working(own_database, tmp_path, low_balance_usd="1000"):
            await webhook(acme, hook.url, "billing.low_balance")
            for told in (1, 2, 3):
                await finished(own_database, await ended_call(own_database, acme))
                await until("it to be told", _got(hook, told))
        assert [each.json["data"] for each in hook.got] == [
            {"balance_usd": 9.925, "threshold_usd": 9.95},
            {"balance_usd": 9.85, "threshold_usd": 9.9},
            {"balance_usd": 9.775, "threshold_usd": 9.8},
        ]

    async def test_batches_are_told_when_the_last_of_their_calls_is_over(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        body = {"agent_id": await acme.new_agent(), "to": ["+15550001111", "+15550001112"]}
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, "batch.completed")
            batch = (await acme.post("/v1/calls/batch", {**body, "from_number": "+15550002222"})).json()
            await until("the batch to be told", _has(hook, "batch.completed"), seconds=60)
        (told,) = hook.got
        assert told.json["data"]["batch_id"] == batch["batch_id"]
        assert told.json["data"]["by_status"] == {"failed": 2}


def _read(customer: Customer, call_id: str, revision: int) -> Callable[[], Awaitable[bool]]:
    async def read() -> bool:
        return bool((await detail_of(customer, call_id))["intelligence"]["revision"] == revision)

    return read


_LAYING = "select count(*) from bullmq.job where name = 'lay' and state in ('waiting', 'active', 'delayed')"


def _lasts(customer: Customer, call_id: str, duration_ms: int) -> Callable[[], Awaitable[bool]]:
    async def lasts() -> bool:
        recording = (await customer.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
        return bool(recording["metadata"]["duration_ms"] == duration_ms)

    return lasts


def _got(hook: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def got() -> bool:
        return len(hook.got) >= count

    return got


def _shows(customer: Customer, call_id: str, message: str) -> Callable[[], Awaitable[bool]]:
    async def shows() -> bool:
        return message in [each["message"] for each in (await detail_of(customer, call_id))["events"]]

    return shows
