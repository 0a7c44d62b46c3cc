"""The periodic sweeps, and the worker that runs them."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from tests.support.asking import Customer, client_for, new_customer, settings_for_tests, web
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.entrypoints.sweeping import one_at_a_time, sweeps_of
from rymi_server.entrypoints.worker import build_worker
from rymi_server.foundation.database import Database, Transaction

A_MINUTE = timedelta(seconds=60)


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http, name="Acme")


async def new_web_call(customer: Customer) -> str:
    body = {"agent_id": await customer.new_agent(), "participants": [web()]}
    call_id: str = (await customer.post("/v1/calls", body)).json()["id"]
    return call_id


class TestJoinTimeouts:
    async def test_end_a_call_that_nobody_joined(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_web_call(acme), SetClock.from_now()
        clock.pass_by(seconds=61)
        await JoinTimeouts(database, clock, A_MINUTE).sweep()
        call = (await acme.get(f"/v1/calls/{call_id}")).json()
        assert call["status"] == "failed"
        assert call["end_reason"] == "nobody_joined"

    async def test_leave_a_browser_its_time(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_web_call(acme), SetClock.from_now()
        clock.pass_by(seconds=50)
        await JoinTimeouts(database, clock, A_MINUTE).sweep()
        assert (await acme.get(f"/v1/calls/{call_id}")).json()["status"] == "connecting"


class TestSweeps:
    async def test_do_nothing_while_another_worker_is_at_it(self, database: Database) -> None:
        begun, may_end, ran = asyncio.Event(), asyncio.Event(), []

        async def slowly(_: Transaction) -> None:
            ran.append("first")
            begun.set()
            await may_end.wait()

        async def too_late(_: Transaction) -> None:
            ran.append("second")

        first = asyncio.create_task(one_at_a_time(database, "tidying", slowly)({}))
        await begun.wait()
        await one_at_a_time(database, "tidying", too_late)({})
        may_end.set()
        await first
        assert ran == ["first"]

    async def test_may_all_be_run_again_and_again(self, database: Database) -> None:
        clock = SetClock.from_now()
        sweeps = sweeps_of(database, clock, JoinTimeouts(database, clock, A_MINUTE))
        for work in [*sweeps.work.values()] * 2:
            await work({})
        assert {each.kind for each in sweeps.recurring} == sweeps.work.keys()


class TestTheWorker:
    async def test_settles_a_call_that_has_ended_and_stops_when_it_is_told(self, database_url: str) -> None:
        database, stop = Database(database_url), asyncio.Event()
        worker = build_worker(settings_for_tests(database_url=database_url, worker_metrics_port=0))
        async with client_for(database) as http:
            acme = await new_customer(database, http)
            call_id = await new_web_call(acme)
            working = asyncio.create_task(worker.run(stop))
            assert (await acme.post(f"/v1/calls/{call_id}/end")).status_code == 200

            async def settled() -> bool:
                return (await acme.get(f"/v1/calls/{call_id}")).json()["bill_duration"] is not None

            await until("the bill of the call", settled)
            stop.set()
            await working
        await database.close()

    async def test_stops_also_when_it_is_told_before_it_has_begun(self, database_url: str) -> None:
        stop = asyncio.Event()
        stop.set()
        async with asyncio.timeout(10):
            await build_worker(settings_for_tests(database_url=database_url, worker_metrics_port=0)).run(stop)
