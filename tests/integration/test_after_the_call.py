"""What comes after a call, done by a real worker: final, analysed, settled, told."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.after_calls import (
    TALK,
    agent_closes,
    agent_of,
    ended_call,
    finished,
    new_call,
    receiver,
    recorded,
    sound,
    webhook,
    working,
)
from tests.support.asking import Customer, client_for, new_customer
from tests.support.calling import everybody_joins, say
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.foundation.database import Database

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
async def own_database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


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
            await finished(own_database, call_id)
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

    async def test_without_a_recording_says_that_it_was_not_asked_for(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async with working(own_database, tmp_path):
            call_id = await ended_call(own_database, acme)
            await finished(own_database, call_id)
        answer = await acme.get(f"/v1/calls/{call_id}/recording")
        assert answer.json()["recording"]["status"] == "disabled"


def _has(hook, event: str):
    async def has() -> bool:
        return event in hook.events

    return has


def _billed(customer: Customer, call_id: str):
    async def billed() -> bool:
        return (await detail_of(customer, call_id))["bill_duration"] is not None

    return billed
