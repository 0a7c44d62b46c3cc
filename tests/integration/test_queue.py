"""What we rely on BullMQ for, on the PostgreSQL that we run. An upgrade of either is told here first."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from tests.support.waiting import until

from rymi_server.foundation.database import Database, Transaction, for_libpq
from rymi_server.foundation.errors import Invalid, Unavailable
from rymi_server.foundation.ids import TenantId
from rymi_server.queue.counts import counts_by_queue, counts_of, still_live
from rymi_server.queue.enqueue import NewJob, enqueue, enqueue_many
from rymi_server.queue.facts import Fact, publish
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.queue.later import Later
from rymi_server.queue.quiet_worker import PatientConnection
from rymi_server.queue.retention import KEPT_FOR, forget_finished
from rymi_server.queue.running import JobRunner, Recurring, Work, hearing

PLAIN = JobKind("tests", "plain")
RETRIED = JobKind("tests", "retried", attempts=3, backoff=Backoff(first_ms=20))
TENANT = TenantId("00000000-0000-7000-8000-00000000000a")


@dataclass(frozen=True, slots=True)
class SomethingHappened(Fact):
    what: str


@asynccontextmanager
async def running(database: Database, work: Mapping[JobKind, Work], **more: Any) -> AsyncIterator[JobRunner]:
    runner = JobRunner(for_libpq(database.url), work, **more)
    task = asyncio.create_task(runner.run())
    yield runner
    await runner.close()
    await task


class Seen:
    """Notes the jobs that ran."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    async def __call__(self, data: Mapping[str, Any]) -> None:
        self.jobs.append(data.get("n"))

    async def wait_for(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.jobs) >= count

        await until(f"{count} jobs to run (ran: {self.jobs})", enough)


class TestEnqueuing:
    async def test_never_happened_when_the_transaction_is_rolled_back(self, database: Database) -> None:
        async with database.engine.connect() as tx:
            transaction = await tx.begin()
            await enqueue(tx, PLAIN, NewJob({"n": 1}))
            await enqueue_many(tx, PLAIN, [NewJob({"n": 2}), NewJob({"n": 3})])
            await transaction.rollback()
        assert await _rows(database) == []

    async def test_is_seen_by_a_worker_only_after_the_commit(self, database: Database) -> None:
        seen = Seen()
        async with running(database, {PLAIN: seen}):
            async with database.transaction() as tx:
                await enqueue(tx, PLAIN, NewJob({"n": 1}))
                async with database.transaction() as other:
                    assert await counts_by_queue(other) == {}
                assert seen.jobs == []
            await seen.wait_for(1)
        assert seen.jobs == [1]

    async def test_adds_a_job_once_however_often_its_id_comes(self, database: Database) -> None:
        async with database.transaction() as tx:
            for _ in range(2):
                await enqueue(tx, PLAIN, NewJob({"n": 1}, id="leg-1"))
            await enqueue_many(tx, PLAIN, [NewJob({"n": 2}, id="leg-1"), NewJob({"n": 3}, id="leg-2")])
        assert await _rows(database) == [("leg-1", "waiting"), ("leg-2", "waiting")]

    async def test_takes_500_at_once_and_all_of_them_run(self, database: Database) -> None:
        seen = Seen()
        async with database.transaction() as tx:
            await enqueue_many(tx, PLAIN, [NewJob({"n": n}, id=f"many-{n}") for n in range(500)])
        async with running(database, {PLAIN: seen}):
            await seen.wait_for(500)
        assert sorted(seen.jobs) == list(range(500))

    async def test_runs_a_delayed_job_when_its_time_has_come(self, database: Database) -> None:
        seen = Seen()
        async with running(database, {PLAIN: seen}):
            async with database.transaction() as tx:
                await enqueue(tx, PLAIN, NewJob({"n": 1}), delay_ms=300)
            started = time.monotonic()
            await seen.wait_for(1)
        assert time.monotonic() - started >= 0.25

    async def test_runs_a_delayed_job_in_time_though_nobody_looks_for_it(self, database: Database) -> None:
        seen = Seen()
        async with running(database, {PLAIN: seen}, settings={"drainDelay": 3_000}):
            async with database.transaction() as tx:
                await enqueue(tx, PLAIN, NewJob({"n": 1}))
                await enqueue(tx, PLAIN, NewJob({"n": 2}), delay_ms=60_000)
            await seen.wait_for(1)
            async with database.transaction() as tx:
                await enqueue(tx, PLAIN, NewJob({"n": 3}), delay_ms=300)
            await seen.wait_for(2)
        assert seen.jobs == [1, 3]


class TestClosing:
    async def test_waits_for_the_statement_that_is_running(self, database: Database) -> None:
        connection = PatientConnection({"connection": for_libpq(database.url)})
        await connection.run("select 1", [])
        running = asyncio.create_task(connection.run("select pg_sleep(0.3), 7 as seven", []))
        await asyncio.sleep(0)
        await connection.close()
        assert running.done()
        assert (await running).first_map()["seven"] == 7

    async def test_is_for_good(self, database: Database) -> None:
        """Whoever has missed it connects no more, because nobody would close that."""
        connection = PatientConnection({"connection": for_libpq(database.url)})
        await connection.run("select 1", [])
        await connection.close()
        with pytest.raises(psycopg.OperationalError):
            await connection.run("select 1", [])


class TestBeingTold:
    async def test_goes_on_after_the_connection_that_listens_was_lost(self, database: Database) -> None:
        seen = Seen()
        # Nobody looks by themselves meanwhile.
        async with running(database, {PLAIN: seen}, settings={"drainDelay": 3_000}):
            first = await _listeners(database)
            async with database.transaction() as tx:
                await tx.execute(sa.text("select pg_terminate_backend(pid) from unnest(:pids) pid"), {"pids": first})
            async with database.transaction() as tx:
                await enqueue(tx, PLAIN, NewJob({"n": 1}))
            await seen.wait_for(1)

    async def test_listens_on_one_connection_for_all_queues(self, database: Database) -> None:
        seen = Seen()
        elsewhere = [JobKind(f"elsewhere_{number}", "plain") for number in range(3)]
        async with running(database, {PLAIN: seen, **dict.fromkeys(elsewhere, seen)}):
            for kind in elsewhere:
                async with database.transaction() as tx:
                    await enqueue(tx, kind, NewJob({"n": kind.queue}))
            await seen.wait_for(3)
            assert len(await _listeners(database)) == 1


class TestForgetting:
    async def test_keeps_the_newest_of_each_queue_and_none_that_is_old(self, database: Database) -> None:
        seen = Seen()
        async with running(database, {PLAIN: seen, RETRIED: seen}, concurrency={"tests": 1}):
            async with database.transaction() as tx:
                await enqueue_many(tx, PLAIN, [NewJob({"n": n}, id=f"job-{n}") for n in range(5)])
            await seen.wait_for(5)
        now = datetime.now(UTC)
        async with database.transaction() as tx:
            await enqueue(tx, PLAIN, NewJob({}, id="waits"))
            await forget_finished(tx, now, most=2)
        assert await _job_ids(database) == ["job-3", "job-4", "waits"]
        async with database.transaction() as tx:
            await forget_finished(tx, now + KEPT_FOR + timedelta(seconds=5))
        assert await _job_ids(database) == ["waits"]


class TestRunning:
    async def test_counts_what_is_done_for_each_tenant(self, database: Database) -> None:
        seen = Seen()
        async with database.transaction() as tx:
            await enqueue(tx, PLAIN, NewJob({"n": 1, "tenant_id": TENANT}))
            await enqueue(tx, PLAIN, NewJob({"n": 2, "tenant_id": "another"}))
            assert (await counts_of(tx, "tests", TENANT)).waiting == 1
        async with running(database, {PLAIN: seen}):
            await seen.wait_for(2)
        async with database.transaction() as tx:
            counts = await counts_of(tx, "tests", TENANT)
        assert (counts.waiting, counts.active, counts.completed, counts.failed) == (0, 0, 1, 0)

    async def test_tries_again_what_failed_by_a_bug_and_gives_up_in_the_end(self, database: Database) -> None:
        attempts = 0

        async def crash(_: Mapping[str, Any]) -> None:
            nonlocal attempts
            attempts += 1
            raise RuntimeError("a bug")

        await self._run_to(database, RETRIED, crash, "failed")
        assert attempts == 3

    @pytest.mark.parametrize(
        ("error", "attempts"),
        [
            (Unavailable("later", retryable=True), 3),
            (Unavailable("never", retryable=False), 1),
            (Invalid("wrong for ever"), 1),
        ],
    )
    async def test_lets_the_error_say_whether_to_try_again(
        self, database: Database, error: Exception, attempts: int
    ) -> None:
        ran = 0

        async def fail(_: Mapping[str, Any]) -> None:
            nonlocal ran
            ran += 1
            raise error

        await self._run_to(database, RETRIED, fail, "failed")
        assert ran == attempts

    async def test_puts_off_what_is_too_early_without_counting_an_attempt(self, database: Database) -> None:
        ran = 0

        async def twice_too_early(_: Mapping[str, Any]) -> None:
            nonlocal ran
            ran += 1
            if ran < 3:
                raise Later(50)

        await self._run_to(database, PLAIN, twice_too_early, "completed")
        assert ran == 3

    async def test_fails_a_job_that_nobody_does(self, database: Database) -> None:
        async with database.transaction() as tx:
            await enqueue(tx, JobKind("tests", "unheard_of"), NewJob({}, id="stranger"))
        async with running(database, {PLAIN: Seen()}):
            await self._reaches(database, "stranger", "failed")

    async def test_runs_a_recurring_job_again_and_again(self, database: Database) -> None:
        seen = Seen()
        async with running(database, {PLAIN: seen}, recurring=(Recurring(PLAIN, every_ms=200),)):
            await seen.wait_for(3)

    async def test_finishes_what_runs_before_it_closes(self, database: Database) -> None:
        began, finished = asyncio.Event(), []

        async def slow(_: Mapping[str, Any]) -> None:
            began.set()
            await asyncio.sleep(0.3)
            finished.append(True)

        async with database.transaction() as tx:
            await enqueue(tx, PLAIN, NewJob({}))
        async with running(database, {PLAIN: slow}):
            await began.wait()
        assert finished == [True]

    async def test_knows_which_jobs_are_still_going_to_run(self, database: Database) -> None:
        async with database.transaction() as tx:
            await enqueue(tx, PLAIN, NewJob({"n": 1}, id="waiting"))
            await enqueue(tx, PLAIN, NewJob({"n": 2}, id="put-off"), delay_ms=60_000)
            assert await still_live(tx, "tests", "n", ["1", "2", "3"]) == {"1", "2"}

    async def test_takes_over_a_job_whose_worker_was_killed(self, database: Database) -> None:
        async with database.transaction() as tx:
            await enqueue(tx, PLAIN, NewJob({"n": 7}, id="orphan"))
        impatient = {"lockDuration": 1_000, "stalledInterval": 500}
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _HANGING_WORKER, for_libpq(database.url), stdout=subprocess.PIPE
        )
        assert victim.stdout is not None
        assert (await victim.stdout.readline()).strip() == b"working"
        victim.kill()
        await victim.wait()
        seen = Seen()
        async with running(database, {PLAIN: seen}, settings=impatient):
            await seen.wait_for(1)
        assert seen.jobs == [7]

    async def _run_to(self, database: Database, kind: JobKind, work: Work, state: str) -> None:
        async with database.transaction() as tx:
            await enqueue(tx, kind, NewJob({}, id="the-job"))
        async with running(database, {kind: work}):
            await self._reaches(database, "the-job", state)

    async def _reaches(self, database: Database, job_id: str, state: str) -> None:
        async def reached() -> bool:
            return (job_id, state) in await _rows(database)

        await until(f"job {job_id} to be {state}", reached)


class TestFacts:
    async def test_reach_every_listener_in_one_transaction(self, database: Database) -> None:
        heard: list[tuple[str, str]] = []

        async def first(_: Transaction, fact: SomethingHappened) -> None:
            heard.append(("first", fact.what))

        async def second(_: Transaction, fact: SomethingHappened) -> None:
            heard.append(("second", fact.what))

        async with database.transaction() as tx:
            await publish(tx, SomethingHappened("rain"))
            await publish(tx, SomethingHappened("snow"))
        async with running(database, hearing(database, {SomethingHappened: [first, second]})):

            async def all_heard() -> bool:
                return len(heard) == 4

            await until("two facts to reach two listeners", all_heard)
        assert sorted(heard) == sorted((who, what) for who in ("first", "second") for what in ("rain", "snow"))

    async def test_were_not_published_by_what_did_not_happen(self, database: Database) -> None:
        async with database.engine.connect() as tx:
            transaction = await tx.begin()
            await publish(tx, SomethingHappened("rain"))
            await transaction.rollback()
        assert await _rows(database) == []


async def _rows(database: Database) -> list[tuple[str, str]]:
    async with database.transaction() as tx:
        rows = await tx.execute(sa.text("select id, state::text from bullmq.job order by seq"))
        return [(row.id, row.state) for row in rows]


_HANGING_WORKER = """
import asyncio, sys
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.retention import KEPT_FOR, forget_finished
from rymi_server.queue.running import JobRunner

async def hang(_):
    print("working", flush=True)
    await asyncio.Event().wait()

settings = {"lockDuration": 1_000, "stalledInterval": 500}
asyncio.run(JobRunner(sys.argv[1], {JobKind("tests", "plain"): hang}, settings=settings).run())
"""


async def _listeners(database: Database) -> list[int]:
    """The connections on which somebody listens for jobs."""
    listens = sa.text("select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()")

    found: list[int] = []

    async def anybody() -> bool:
        async with database.transaction() as tx:
            found[:] = (await tx.execute(listens)).scalars()
        return bool(found)

    await until("somebody to listen for jobs", anybody)
    return found


async def _job_ids(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return sorted((await tx.execute(sa.text("select id from bullmq.job where queue = 'tests'"))).scalars())
