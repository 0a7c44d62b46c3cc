"""Which worker gets which job, and what becomes of jobs whose worker refuses, dies or is dismissed."""

import aiohttp
import pytest
from livekit import api
from livekit.protocol import agent
from tests.roomlet.people import Gather, Person, Server, administration, new_name
from tests.roomlet.running import Running
from tests.roomlet.waiting import eventually, eventually_is, stays
from tests.roomlet.workers import HandWorker, working

pytestmark = pytest.mark.xdist_group("roomlet-agents")


async def play_agent(worker: HandWorker, livekit: Server) -> Person:
    """Joins the room as the agent that the worker's next job asks for."""
    assignment = await worker.job()
    identity = assignment.job.state.participant_identity
    return await Person(livekit, assignment.job.room.name, identity).join(minted=assignment.token)


async def dispatch(livekit: Server, room: str, name: str, metadata: str = "") -> api.AgentDispatch:
    async with administration(livekit) as admin:
        wanted = api.CreateAgentDispatchRequest(agent_name=name, room=room, metadata=metadata)
        return await admin.agent_dispatch.create_dispatch(wanted)


async def dispatches(livekit: Server, room: str, name: str) -> list[api.AgentDispatch]:
    async with administration(livekit) as admin:
        return [found for found in await admin.agent_dispatch.list_dispatch(room) if found.agent_name == name]


@pytest.fixture
def name() -> str:
    return new_name("agent")


class TestDispatch:
    async def test_an_agent_is_brought_by_name_with_its_metadata(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name) as worker:
            ann = await come("ann")
            created = await dispatch(livekit, room, name, "the plan")
            someone = await play_agent(worker, livekit)
            await someone.play(700)
            await ann.hears(someone.identity, 700)
            assert worker.offers[0].metadata == "the plan"
            assert worker.offers[0].dispatch_id == created.id
            shown = ann.room.remote_participants[someone.identity]
            assert (shown.kind, shown.attributes["lk.agent_name"]) == (api.ParticipantInfo.Kind.AGENT, name)

            async def states() -> list[agent.JobStatus]:
                return [job.state.status for each in await dispatches(livekit, room, name) for job in each.state.jobs]

            await eventually_is("the state of the job", [agent.JobStatus.JS_RUNNING], states)
            await someone.leave()

    async def test_a_token_s_room_configuration_brings_an_agent(self, livekit: Server, room: str, name: str) -> None:
        configuration = api.RoomConfiguration(agents=[api.RoomAgentDispatch(agent_name=name, metadata="from token")])
        minting = api.AccessToken(livekit.key, livekit.secret).with_identity("ann")
        minting = minting.with_grants(api.VideoGrants(room_join=True, room=room)).with_room_config(configuration)
        async with working(livekit, name) as worker:
            ann = await Person(livekit, room, "ann").join(minted=minting.to_jwt())
            assert (await worker.job()).job.metadata == "from token"
            await ann.leave()

    async def test_a_made_room_brings_its_agents_before_anybody_is_in(
        self, livekit: Server, room: str, name: str
    ) -> None:
        async with working(livekit, name) as worker, administration(livekit) as admin:
            agents = [api.RoomAgentDispatch(agent_name=name)]
            await admin.room.create_room(api.CreateRoomRequest(name=room, agents=agents))
            assert (await worker.job()).job.room.name == room

    async def test_a_worker_without_a_name_serves_every_room_that_asks_for_nobody(
        self, livekit: Server, room: str, come: Gather
    ) -> None:
        async with working(livekit) as worker:
            await come("ann")
            # Rooms of earlier tests may still be open and unserved; they are offered too.
            await eventually("the room is served", lambda: room in [job.room.name for job in worker.offers])

    async def test_a_dismissed_agent_is_told_and_then_removed(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name) as worker:
            ann = await come("ann")
            created = await dispatch(livekit, room, name)
            someone = await play_agent(worker, livekit)
            await ann.saw("joined", someone.identity)
            async with administration(livekit) as admin:
                await admin.agent_dispatch.delete_dispatch(created.id, room)
            assert await worker.dismissed() == worker.offers[0].id
            await ann.saw("left", someone.identity)
            await someone.saw("disconnected", "PARTICIPANT_REMOVED")
            assert await dispatches(livekit, room, name) == []

    async def test_an_unknown_dispatch_is_not_found(self, livekit: Server, room: str, come: Gather) -> None:
        await come("ann")
        async with administration(livekit) as admin:
            with pytest.raises(api.TwirpError) as refusal:
                await admin.agent_dispatch.delete_dispatch("AD_none", room)
        assert refusal.value.code == "not_found"

    async def test_a_worker_for_participants_gets_a_job_for_each(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name, kind=agent.JobType.JT_PARTICIPANT) as worker:
            await come("ann")
            await dispatch(livekit, room, name)
            await come("ben")
            jobs = [(await worker.job()).job for _ in range(2)]
            assert {job.participant.identity for job in jobs} == {"ann", "ben"}

    async def test_a_worker_for_publishers_gets_a_job_when_somebody_publishes(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name, kind=agent.JobType.JT_PUBLISHER) as worker:
            await come("ann")
            ben = await come("ben")
            await dispatch(livekit, room, name)
            await ben.play(440)
            assert (await worker.job()).job.participant.identity == "ben"


class TestWorkers:
    async def test_a_worker_that_refuses_is_passed_over(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name, accepts=False) as lazy, working(livekit, name) as willing:
            await come("ann")
            await dispatch(livekit, room, name)
            await willing.job()
            assert lazy.assignments.empty()

    async def test_an_agent_that_leaves_by_itself_is_not_replaced(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        ann = await come("ann")
        async with working(livekit, name) as worker:
            await dispatch(livekit, room, name)
            someone = await play_agent(worker, livekit)
            await ann.saw("joined", someone.identity)
            await someone.leave()
            await ann.saw("left", someone.identity)
            await stays("no further job comes", lambda: len(worker.offers) == 1)

    async def test_an_agent_outlives_the_loss_of_its_worker_s_socket(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        ann = await come("ann")
        async with working(livekit, name) as worker:
            await dispatch(livekit, room, name)
            someone = await play_agent(worker, livekit)
            await someone.play(700)
            await ann.hears(someone.identity, 700)
        await stays("the agent is still there", lambda: someone.identity in ann.room.remote_participants)
        await ann.hears(someone.identity, 700)
        await someone.leave()


class TestBeyondLiveKit:
    """A LiveKit server drops a job that no worker takes, and sends nobody in place of an agent that failed."""

    @pytest.fixture
    def livekit(self, server: Running) -> Server:
        return server

    async def test_an_agent_that_is_dispatched_before_its_worker_exists_comes_with_it(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        await come("ann")
        await dispatch(livekit, room, name)
        async with working(livekit, name) as worker:
            assert (await worker.job()).job.room.name == room

    async def test_a_job_that_waits_is_listed_as_pending_until_it_is_taken(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        await come("ann")
        await dispatch(livekit, room, name)

        async def states() -> list[agent.JobStatus]:
            return [job.state.status for each in await dispatches(livekit, room, name) for job in each.state.jobs]

        assert await states() == [agent.JobStatus.JS_PENDING]
        async with working(livekit, name) as worker:
            await worker.job()
            assert await states() == [agent.JobStatus.JS_RUNNING]

    async def test_jobs_end_with_their_room(self, livekit: Server, room: str, name: str, come: Gather) -> None:
        async with working(livekit, name) as worker:
            await come("ann")
            await dispatch(livekit, room, name)
            job = (await worker.job()).job
            async with administration(livekit) as admin:
                await admin.room.delete_room(api.DeleteRoomRequest(room=room))
            assert await worker.dismissed() == job.id

    async def test_a_job_everybody_refused_waits_for_another_worker(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name, accepts=False) as lazy:
            await come("ann")
            await dispatch(livekit, room, name)
            await eventually("the lazy worker was asked", lambda: lazy.offers)
            async with working(livekit, name) as willing:
                await willing.job()

    async def test_a_full_worker_is_not_asked_before_it_is_free(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        async with working(livekit, name) as worker:
            await worker.be(agent.WorkerStatus.WS_FULL)
            await come("ann")
            await dispatch(livekit, room, name)
            await stays("the full worker is not asked", lambda: not worker.offers)
            await worker.be(agent.WorkerStatus.WS_AVAILABLE)
            await worker.job()

    async def test_a_job_whose_worker_died_before_joining_is_given_to_another(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        await come("ann")
        async with working(livekit, name) as first:
            await dispatch(livekit, room, name)
            await first.job()
        async with working(livekit, name) as second:
            await second.job()
        listed = (await dispatches(livekit, room, name))[0]
        assert listed.state.jobs[0].state.status == agent.JobStatus.JS_FAILED

    async def test_a_job_that_failed_is_given_out_again_and_its_agent_is_removed(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        ann = await come("ann")
        async with working(livekit, name) as worker:
            await dispatch(livekit, room, name)
            someone = await play_agent(worker, livekit)
            await ann.saw("joined", someone.identity)
            await worker.report(worker.offers[0].id, agent.JobStatus.JS_FAILED)
            await ann.saw("left", someone.identity, seconds=2)
            await worker.job()

    async def test_a_job_that_always_fails_is_given_up(
        self, livekit: Server, room: str, name: str, come: Gather
    ) -> None:
        await come("ann")
        async with working(livekit, name) as worker:
            await dispatch(livekit, room, name)
            for _ in range(4):
                job = (await worker.job()).job
                await worker.report(job.id, agent.JobStatus.JS_FAILED)
            await stays("no further job comes", lambda: len(worker.offers) == 4)

    async def test_a_worker_needs_the_right_token(self, server: Running) -> None:
        minting = api.AccessToken(server.key, server.secret).with_identity("ann")
        minted = minting.with_grants(api.VideoGrants(room_join=True, room="x")).to_jwt()
        async with aiohttp.ClientSession() as http:
            for headers in ({}, {"Authorization": f"Bearer {minted}"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                    await http.ws_connect(f"{server.http_url}/agent", headers=headers)
                assert refusal.value.status == 401
