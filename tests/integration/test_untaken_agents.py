"""An agent whose call no worker took is sent for again, and never more than one is let in.

A LiveKit server drops what no worker takes. Our room server keeps it, so there a test takes it away. Both are asked
where the environment names a LiveKit server.
"""

import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from livekit.protocol.agent import Job, JobStatus
from structlog.testing import capture_logs
from tests.roomlet.comparing import LIVEKIT, real_livekit
from tests.roomlet.people import Server
from tests.roomlet.running import Running
from tests.roomlet.workers import HandWorker, working
from tests.support.asking import CLOCK, web
from tests.support.calling import jobs_in
from tests.support.clocks import SetClock
from tests.support.installation import Installation, installation
from tests.support.up import free_ports
from tests.support.waiting import until

from rymi_server.call_control.api_presence import be_seen
from rymi_server.call_control.lost_agents import LostAgents, process_died
from rymi_server.call_control.untaken_agents import UntakenAgents, asked_again_after
from rymi_server.calls import agent_runs, store
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.transitions import participant_joined
from rymi_server.foundation.ids import CallId
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.sending import AgentCalling, AgentDispatcher
from rymi_server.rooms.server import RoomServer, Uptake

A_MINUTE = timedelta(minutes=1)
NAME = "rymi"
UNTAKEN = "No agent worker has taken the call, and they are asked again"
MISSED = "People are waiting, and no agent has come"


async def call_on(here: Installation) -> dict[str, Any]:
    body = {"agent_id": await here.acme.new_agent(), "participants": [web("ann")]}
    made: dict[str, Any] = (await here.acme.post("/v1/calls", body)).json()
    return made


def named_in_metadata(job: Job) -> str:
    name: str = json.loads(job.metadata)["participant_id"]
    return name


@dataclass
class Waiting:
    """A call that waits for an agent. What the worker does otherwise is done by hand."""

    here: Installation
    server: Server
    rooms: RoomServer
    call_id: CallId
    room: str
    clock: SetClock = field(default_factory=SetClock.from_now)

    def __post_init__(self) -> None:
        self.sweep = UntakenAgents(self.here.database, self.clock, self.rooms).sweep
        self._passes = AgentPasses.from_text(self.here.settings.required_secret())
        calling = AgentCalling(NAME, str(self.here.http.base_url), self._passes)
        self._send = AgentDispatcher(self.here.database, self.clock, self.rooms, calling)
        token = self._passes.issue(self.call_id, self.here.acme.tenant.id, self.clock.now())
        self._shown = {"Authorization": f"Bearer {token}"}
        self._path = f"/internal/v1/calls/{self.call_id}"

    async def send(self, run: int, call_off: str | None = None) -> None:
        """Do the job that has this run sent."""
        job = {"call_id": self.call_id, "tenant_id": self.here.acme.tenant.id, "run": run, "call_off": call_off}
        await self._send(job)

    async def is_sent_again(self) -> AgentRun:
        """Until a further run is there, and its job is done. What it takes the place of is returned."""
        before = await self.serving()
        self.clock.pass_by(seconds=10)
        await self.sweep()
        assert f"dispatch-{self.call_id}-{before.number + 1}" in await jobs_in(self.here.database, "rooms")
        await self.send(before.number + 1, before.dispatch_id)
        return before

    async def runs(self) -> list[AgentRun]:
        async with self.here.database.transaction() as tx:
            return await agent_runs.of_call(tx, self.call_id)

    async def serving(self) -> AgentRun:
        async with self.here.database.transaction() as tx:
            found = await agent_runs.current(tx, self.call_id)
        assert found
        return found

    async def is_dropped(self) -> None:
        """A LiveKit server has done it by itself."""
        dispatch_id = (await self.serving()).dispatch_id
        assert dispatch_id
        if isinstance(self.server, Running):
            await self.rooms.call_off(self.room, dispatch_id)

    async def dispatched(self) -> list[str]:
        """Which runs the room server is to bring."""
        sent = [each.metadata for each in await self.rooms.agents_sent(self.room) if each.metadata]
        return [json.loads(metadata)["run"] for metadata in sent]

    async def agents(self) -> list[str]:
        shown = (await self.here.acme.get(f"/v1/calls/{self.call_id}")).json()["participants"]
        return [each["status"] for each in shown if each["role"] == "agent"]

    async def ann_joins(self) -> None:
        async with self.here.database.transaction() as tx:
            call = await store.lock_by_room(tx, self.call_id)
            assert call
            (ann,) = [p for p in await store.participants_of(tx, call.id) if p.identity == "ann"]
            await participant_joined(tx, call, ann.id, self.clock.now())

    async def messages(self) -> list[str]:
        shown = (await self.here.acme.get(f"/v1/calls/{self.call_id}/events")).json()["events"]
        return [each["message"] for each in shown]

    async def asks_to_be_let_in(self, run: str) -> int:
        return (await self.here.http.get(f"{self._path}/briefing?run={run}", headers=self._shown)).status_code

    async def is_told_to_leave(self, run: str) -> bool:
        answer = await self.here.http.post(f"{self._path}/reports", json={"run": run}, headers=self._shown)
        over: bool = answer.json()["over"]
        return over

    async def is_taken(self, worker: HandWorker) -> str:
        """Which run a worker has got, as soon as the room server says so."""
        assigned = await worker.job()

        async def listed() -> bool:
            serving = await self.serving()
            sent = await self.rooms.agents_sent(self.room)
            return [each.uptake for each in sent if each.id == serving.dispatch_id] == [Uptake.TAKEN]

        await until("the room server to list the job", listed)
        run: str = json.loads(assigned.job.metadata)["run"]
        return run


@pytest.fixture(params=["roomlet", "livekit"] if os.environ.get(LIVEKIT) else ["roomlet"])
async def waiting(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Waiting]:
    """Its first run has been sent."""
    (port,) = free_ports(1)
    async with installation(database_url, port, notices=False) as here, aiohttp.ClientSession() as http:
        server: Server = real_livekit() if request.param == "livekit" else here.server
        rooms = RoomServer(LiveKit(server.url, server.url, server.key, server.secret), http)
        call = await call_on(here)
        made = Waiting(here, server, rooms, CallId(call["id"]), call["room_name"])
        async with here.database.transaction() as tx:
            await be_seen(tx, "api", made.clock.now() - A_MINUTE, made.clock.now() + A_MINUTE * 10)
        await made.send(1)
        yield made
        await rooms.close(made.room)


class TestAnAgentThatNoWorkerTook:
    async def test_comes_once_there_is_one(self, database_url: str) -> None:
        """As it is in an installation that runs."""
        (port,) = free_ports(1)
        async with installation(database_url, port) as here:
            async with here.database.transaction() as tx:
                await be_seen(tx, "api", CLOCK.now(), CLOCK.now() + A_MINUTE)
            call = await call_on(here)

            async def sent() -> list[Any]:
                return [each for each in await here.room_server.agents_sent(call["room_name"]) if each.metadata]

            async def is_sent() -> bool:
                return bool(await sent())

            await until("the agent to be sent", is_sent)
            (dropped,) = await sent()
            await here.room_server.call_off(call["room_name"], dropped.id)
            async with working(here.server, NAME, identity_of=named_in_metadata) as worker:
                told = json.loads((await worker.job()).job.metadata)
            shown = (await here.acme.get(f"/v1/calls/{call['id']}")).json()["participants"]
            (agent,) = [each["id"] for each in shown if each["role"] == "agent"]
            assert (told["run"], told["participant_id"]) == ("2", agent)

    async def test_is_in_the_call_once_by_a_name_of_its_own(self, waiting: Waiting) -> None:
        """A LiveKit server may yet remove whoever bears the name of one who was called off."""
        await waiting.is_dropped()
        before = await waiting.is_sent_again()
        serving = await waiting.serving()
        assert serving.run == "2"
        assert serving.participant_id not in (None, before.participant_id)
        assert await waiting.dispatched() == ["2"]
        assert await waiting.agents() == ["joining"]

    async def test_comes_by_the_last_run(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        await waiting.is_sent_again()
        async with working(waiting.server, NAME, identity_of=named_in_metadata) as worker:
            if not isinstance(waiting.server, Running):  # It has dropped the second one too.
                await waiting.is_sent_again()
            assert await waiting.is_taken(worker) == (await waiting.serving()).run

    async def test_is_sent_for_where_its_room_is_gone(self, waiting: Waiting) -> None:
        await waiting.rooms.close(waiting.room)
        await waiting.is_sent_again()
        assert await waiting.dispatched() == ["2"]

    async def test_is_not_sent_for_at_every_look(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        await waiting.sweep()
        assert [run.run for run in await waiting.runs()] == ["1"]
        waiting.clock.pass_by(seconds=10)
        await waiting.is_sent_again()
        await waiting.is_dropped()
        runs = []
        for _ in range(3):
            waiting.clock.pass_by(seconds=2)
            await waiting.sweep()
            runs.append((await waiting.serving()).run)
        assert runs == ["2", "2", "3"]

    async def test_is_no_agent_that_died(self, waiting: Waiting) -> None:
        """However often it was sent for: it is one entry, spoken of once, and six may yet follow."""
        await waiting.ann_joins()
        lost = LostAgents(waiting.here.database, waiting.clock, A_MINUTE * 10)
        for _ in range(8):
            await waiting.is_dropped()
            await waiting.is_sent_again()
            await lost.sweep()
        serving = await waiting.serving()
        assert serving.run == "9"
        messages = await waiting.messages()
        assert (messages.count(UNTAKEN), messages.count(MISSED), len(await waiting.agents())) == (1, 1, 1)
        async with waiting.here.database.transaction() as tx:
            await process_died(tx, waiting.here.acme.tenant.id, waiting.call_id, serving.run, waiting.clock.now())
        assert f"dispatch-{waiting.call_id}-10" in await jobs_in(waiting.here.database, "rooms")

    async def test_that_never_comes_ends_the_call_as_ever(self, waiting: Waiting) -> None:
        await waiting.ann_joins()
        lost = LostAgents(waiting.here.database, waiting.clock, A_MINUTE)
        for _ in range(6):
            await waiting.is_dropped()
            await waiting.is_sent_again()
            await lost.sweep()
        assert MISSED in await waiting.messages()
        waiting.clock.pass_by(seconds=2)
        await lost.sweep()
        shown = (await waiting.here.acme.get(f"/v1/calls/{waiting.call_id}")).json()
        assert shown["end_reason"] == "agent_lost"
        waiting.clock.pass_by(seconds=10)
        await waiting.sweep()
        assert len(await waiting.runs()) == 7

    async def test_is_sent_once_by_a_job_that_runs_twice(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        before = await waiting.is_sent_again()
        await waiting.send(2, before.dispatch_id)
        assert await waiting.dispatched() == ["2"]


class TestOneThatComesYet:
    """By the run that was given up: the room server was asking a worker just then."""

    async def test_is_turned_away(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        await waiting.is_sent_again()
        assert await waiting.asks_to_be_let_in("1") == 410
        assert await waiting.is_told_to_leave("1")
        assert await waiting.asks_to_be_let_in("2") == 200
        assert not await waiting.is_told_to_leave("2")

    async def test_before_it_was_given_up_is_the_one(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        assert await waiting.asks_to_be_let_in("1") == 200
        waiting.clock.pass_by(seconds=5)
        await waiting.sweep()
        assert [run.run for run in await waiting.runs()] == ["1"]

    async def test_and_is_in_the_room_is_the_one(self, waiting: Waiting) -> None:
        """It has not been told about its call yet."""
        await waiting.is_dropped()
        async with waiting.here.database.transaction() as tx:
            call = await store.lock_by_room(tx, waiting.call_id)
            serving = await agent_runs.current(tx, waiting.call_id)
            assert call
            assert serving
            assert serving.participant_id
            await participant_joined(tx, call, serving.participant_id, waiting.clock.now())
        waiting.clock.pass_by(seconds=5)
        await waiting.sweep()
        assert [run.run for run in await waiting.runs()] == ["1"]

    async def test_does_not_make_its_death_the_other_s(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        await waiting.is_sent_again()
        async with waiting.here.database.transaction() as tx:
            await process_died(tx, waiting.here.acme.tenant.id, waiting.call_id, "1", waiting.clock.now())
        assert (await waiting.serving()).run == "2"


class TestAnAgentThatIsOnItsWay:
    async def test_is_waited_for(self, waiting: Waiting) -> None:
        async with working(waiting.server, NAME, identity_of=named_in_metadata) as worker:
            if not isinstance(waiting.server, Running):
                await waiting.is_sent_again()
            run = await waiting.is_taken(worker)
            waiting.clock.pass_by(seconds=20)
            await waiting.sweep()
            assert (await waiting.serving()).run == run

    async def test_is_not_sent_for_again_where_the_room_server_keeps_the_wish(self, waiting: Waiting) -> None:
        if not isinstance(waiting.server, Running):
            pytest.skip("A LiveKit server keeps no wish: it drops what no worker takes.")
        for _ in range(3):
            waiting.clock.pass_by(seconds=20)
            await waiting.sweep()
        assert [run.run for run in await waiting.runs()] == ["1"]
        async with working(waiting.server, NAME, identity_of=named_in_metadata) as worker:
            assert await waiting.is_taken(worker) == "1"

    async def test_is_followed_by_another_one_once_its_job_has_ended(self, waiting: Waiting) -> None:
        """A LiveKit server tells nobody of it."""
        if not isinstance(waiting.server, Running):
            pytest.skip("A LiveKit server lists a job as running after its end, so there is nothing to see.")
        async with working(waiting.server, NAME, identity_of=named_in_metadata) as worker:
            await worker.report((await worker.job()).job.id, JobStatus.JS_FAILED)

            async def ended() -> bool:
                sent = await waiting.rooms.agents_sent(waiting.room)
                return Uptake.ENDED in {each.uptake for each in sent}

            await until("the job to have ended", ended)
            waiting.clock.pass_by(seconds=2)
            await waiting.sweep()
        assert "The agent ended before it came" in await waiting.messages()
        assert await waiting.agents() == ["failed"]
        assert f"dispatch-{waiting.call_id}-2" in await jobs_in(waiting.here.database, "rooms")


class TestTheSweep:
    async def test_leaves_be_what_nobody_can_tell_of(self, waiting: Waiting) -> None:
        """The room server is away: that is said once, and the next look is as good."""
        (nobody_s,) = free_ports(1)
        away = LiveKit(f"ws://127.0.0.1:{nobody_s}", "", waiting.server.key, waiting.server.secret)
        async with contextlib.AsyncExitStack() as running:
            http = await running.enter_async_context(aiohttp.ClientSession())
            sweep = UntakenAgents(waiting.here.database, waiting.clock, RoomServer(away, http)).sweep
            with capture_logs() as logs:
                for _ in range(3):
                    waiting.clock.pass_by(seconds=10)
                    await sweep()
        assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["agents_not_looked_for"]
        assert [run.run for run in await waiting.runs()] == ["1"]

    async def test_leaves_a_call_be_that_is_over(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        await waiting.here.acme.post(f"/v1/calls/{waiting.call_id}/end")
        waiting.clock.pass_by(seconds=10)
        await waiting.sweep()
        assert len(await waiting.runs()) == 1

    async def test_waits_for_an_api_that_could_tell_the_agent_about_its_call(self, waiting: Waiting) -> None:
        await waiting.is_dropped()
        waiting.clock.pass_by(minutes=20)
        await waiting.sweep()
        assert len(await waiting.runs()) == 1

    @pytest.mark.parametrize(
        ("since_wanted", "others", "waits"),
        [(0, 0, 1.5), (4, 0, 1.5), (12, 0, 3), (40, 0, 10), (600, 0, 10), (0, 4, 3.5), (0, 200, 5.5), (600, 200, 10)],
    )
    def test_asks_less_often_the_longer_it_waits_and_for_the_more(
        self, since_wanted: float, others: int, waits: float
    ) -> None:
        assert asked_again_after(timedelta(seconds=since_wanted), others) == timedelta(seconds=waits)


class TestARunOfTheCall:
    async def test_that_nobody_has_sent_is_let_in(self, waiting: Waiting) -> None:
        assert await waiting.asks_to_be_let_in("by-hand") == 200

    async def test_that_was_lost_is_not(self, waiting: Waiting) -> None:
        async with waiting.here.database.transaction() as tx:
            await store.lock_by_room(tx, waiting.call_id)
            await process_died(tx, waiting.here.acme.tenant.id, waiting.call_id, "1", waiting.clock.now())
        assert await waiting.asks_to_be_let_in("1") == 410
