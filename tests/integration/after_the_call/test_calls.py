"""What comes after a call, done by a real worker: final, analysed, settled, told."""

import json
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from tests.integration.after_the_call.looking import RECORDED, billed, detail_of, has
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
from tests.support.asking import Customer
from tests.support.calling import everybody_joins, held_by, jobs_in, say
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.calls.facts import AgentClosed
from rymi_server.foundation.database import Database
from rymi_server.post_call import progress
from rymi_server.queue.facts import publish
from rymi_server.tenants.store import set_time_zone

_NOON = 12
EVERYTHING = (
    "call.started",
    "participant.joined",
    "participant.left",
    "call.recording.ready",
    "call.completed",
    "call.intelligence.ready",
    "call.failed",
)


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
            await until("all webhooks", has(hook, "call.intelligence.ready"))
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
            await until("the bill", billed(acme, call_id))
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
            await until("the news", has(hook, "call.failed"))
        call = await detail_of(acme, call_id)
        assert (call["status"], call["bill_duration"], call["total_cost"]) == ("failed", 0, 0)
        assert call["intelligence_status"] == "not_started"
        told = hook.got[-1].json["data"]
        assert (told["status"], told["duration"], told["cost"]) == ("failed", 0, 0)
        assert await jobs_in(own_database, "post_call") == [], "there is nothing to be done"
        facts = await _names_in(own_database, "facts")
        assert ("CallEnded" in facts, "ParticipantLeft" in facts) == (True, False), "one fact tells of both"

    async def test_that_nobody_came_to_is_done_with_after_the_last_word_of_its_agent(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        call_id, clock = await new_call(acme, **RECORDED), SetClock.from_now()
        clock.pass_by(seconds=61)
        await agent_of(own_database, call_id, heard_at=clock.now())
        await JoinTimeouts(own_database, clock, timedelta(seconds=60)).sweep()
        async with working(own_database, tmp_path):
            await until("the bill", billed(acme, call_id))
            assert await held_by(own_database, acme) == 0
            assert not await _is_done(own_database, call_id)
            await agent_closes(own_database, call_id)
            async with own_database.transaction() as tx:
                await publish(tx, AgentClosed(call_id, acme.tenant.id, "1"))
            await finished(own_database, call_id)
        async with own_database.transaction() as tx:
            so_far = await progress.of_call(tx, call_id)
        assert so_far
        assert None not in astuple(so_far)

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


async def _was_done(database: Database, job_id: str) -> bool:
    done = sa.text("select count(*) from bullmq.job where id = :id and state = 'completed'")
    async with database.transaction() as tx:
        return bool((await tx.execute(done, {"id": job_id})).scalar_one())


async def _names_in(database: Database, queue: str) -> list[str]:
    named = sa.text("select name from bullmq.job where queue = :queue order by seq")
    async with database.transaction() as tx:
        return list((await tx.execute(named, {"queue": queue})).scalars())


async def _is_done(database: Database, call_id: str) -> bool:
    async with database.transaction() as tx:
        so_far = await progress.of_call(tx, call_id)
    return so_far is not None and so_far.done_at is not None
