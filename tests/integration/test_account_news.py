"""What an account's endpoints are told of its agents, numbers and keys, and of calls that no agent could serve."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.http.test_internal_agents import Agent
from tests.support.after_calls import Receiver, finished, new_call, receiver, webhook, working
from tests.support.asking import CLOCK, Customer, client_for, new_customer
from tests.support.calling import everybody_joins
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.call_control.api_presence import be_seen
from rymi_server.call_control.lost_agents import LostAgents
from rymi_server.calls import agent_runs
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, ParticipantId, new_uuid


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def api(own_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(own_database, allow_private_webhooks=True) as client:
        yield client


@pytest.fixture
async def acme(own_database: Database, api: httpx.AsyncClient) -> Customer:
    return await new_customer(own_database, api)


@pytest.fixture
async def hook(own_database: Database, tmp_path: Path) -> AsyncIterator[Receiver]:
    async with receiver() as server, working(own_database, tmp_path):
        yield server


def got(hook: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(hook.got) >= count

    return enough


def data_of(hook: Receiver, event: str) -> list[dict[str, Any]]:
    return [each.json["data"] for each in hook.got if each.event == event]


class TestAnAgent:
    async def test_is_published_whenever_the_next_call_gets_another_one(self, acme: Customer, hook: Receiver) -> None:
        await webhook(acme, hook.url, "agent.published")
        agent_id = (await acme.post("/v1/agents", {"name": "Aria"})).json()["id"]
        for change in ({"language": "en-GB"}, {"language": "en-GB"}, {"name": "Ada", "agent_role": "specialist"}):
            assert (await acme.ask("PUT", f"/v1/agents/{agent_id}", json=change)).status_code == 200
        copy = (await acme.post(f"/v1/agents/{agent_id}/clone", {})).json()["id"]
        await until("the copy to be told", got(hook, 4))
        expected = [
            {"agent_id": agent_id, "name": "Aria", "agent_role": "operator"},
            {"agent_id": agent_id, "name": "Aria", "agent_role": "operator"},
            {"agent_id": agent_id, "name": "Ada", "agent_role": "specialist"},
            {"agent_id": copy, "name": "Ada (Copy)", "agent_role": "specialist"},
        ]
        assert sorted(map(str, data_of(hook, "agent.published"))) == sorted(map(str, expected))

    async def test_is_not_published_where_nothing_was_saved(self, acme: Customer, hook: Receiver) -> None:
        await webhook(acme, hook.url, "agent.published", "system.api_key_created")
        assert (await acme.post("/v1/agents", {"name": ""})).status_code == 400
        assert (await acme.post("/v1/auth/api-keys", {"label": "after it"})).status_code == 201
        await until("the key to be told", got(hook, 1))
        assert hook.events == ["system.api_key_created"]

    async def test_that_cannot_go_on_is_told_with_its_call(
        self, own_database: Database, api: httpx.AsyncClient, acme: Customer, hook: Receiver
    ) -> None:
        await webhook(acme, hook.url, "agent.failed", "call.completed")
        call_id = await new_call(acme)
        await everybody_joins(own_database, call_id)
        async with own_database.transaction() as tx:
            await agent_runs.begin(tx, CallId(call_id), 1, ParticipantId(new_uuid()), CLOCK.now())
            run = (await agent_runs.of_call(tx, CallId(call_id)))[0].run
        agent = Agent(api, call_id, acme.tenant.id, run)
        answer = await agent.report({"kind": "end_wanted", "reason": "agent_failed"}, closing=True)
        assert answer["over"]
        await finished(own_database, call_id)
        await until("both to be told", got(hook, 2))
        assert hook.events == ["agent.failed", "call.completed"]
        (told,) = data_of(hook, "agent.failed")
        assert (told["call_id"], told["agent_id"]) == (
            call_id,
            (await acme.get(f"/v1/calls/{call_id}")).json()["agent_id"],
        )
        assert told["end_reason"] == "agent_failed"

    async def test_that_never_comes_is_told_with_its_call(
        self, own_database: Database, acme: Customer, hook: Receiver
    ) -> None:
        await webhook(acme, hook.url, "agent.failed")
        call_id = await new_call(acme)
        await everybody_joins(own_database, call_id, seconds_ago=40)
        async with own_database.transaction() as tx:
            await agent_runs.begin(tx, CallId(call_id), 1, ParticipantId(new_uuid()), CLOCK.now())
            (run,) = await agent_runs.of_call(tx, CallId(call_id))
            await agent_runs.change(tx, run, dispatch_id="AD_1", dispatched_at=CLOCK.now())
        clock = SetClock.from_now()
        clock.pass_by(seconds=61)
        async with own_database.transaction() as tx:
            # There was an API all the while that would have heard of the agent.
            await be_seen(tx, "an API", CLOCK.now() - timedelta(minutes=5), clock.now())
        await LostAgents(own_database, clock, timedelta(seconds=60)).sweep()
        await until("it to be told", got(hook, 1))
        assert data_of(hook, "agent.failed")[0]["end_reason"] == "agent_lost"

    async def test_that_served_its_call_has_not_failed(
        self, own_database: Database, acme: Customer, hook: Receiver
    ) -> None:
        await webhook(acme, hook.url, "agent.failed", "call.completed")
        call_id = await new_call(acme)
        await everybody_joins(own_database, call_id)
        assert (await acme.post(f"/v1/calls/{call_id}/end")).status_code == 200
        await finished(own_database, call_id)
        await until("its end to be told", got(hook, 1))
        assert hook.events == ["call.completed"]


class TestNumbersAndKeys:
    async def test_are_told_as_they_are_made_and_revoked(self, acme: Customer, hook: Receiver) -> None:
        await webhook(acme, hook.url, "agent.number_assigned", "system.api_key_created", "system.api_key_revoked")
        agent_id = await acme.new_agent()
        made = await acme.post("/v1/numbers", {"number": "+15550001111", "agent_id": agent_id})
        assert made.status_code == 201
        key = (await acme.post("/v1/auth/api-keys", {"label": "for a day"})).json()
        assert (await acme.ask("DELETE", f"/v1/auth/api-keys/{key['id']}")).status_code == 200
        await until("all of it to be told", got(hook, 3))
        assert data_of(hook, "agent.number_assigned") == [{"number": "+15550001111", "agent_id": agent_id}]
        about = {"key_id": key["id"], "label": "for a day"}
        for event in ("system.api_key_created", "system.api_key_revoked"):
            (told,) = data_of(hook, event)
            assert {name: told[name] for name in about} == about
            assert key["api_key"].startswith(told["key_prefix"].rstrip(".…"))
            assert key["api_key"] not in str(told)
