"""SDKs of other ages and languages, each in a room with the Python SDK of the day. Runs against any LiveKit server."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest
from livekit import api
from tests.roomlet.browsers import CLIENTS
from tests.roomlet.peers import node_sdk, peer, python_sdk
from tests.roomlet.people import Gather, Server, administration, gathering, new_name
from tests.roomlet.running import Running
from tests.roomlet.waiting import within

pytestmark = pytest.mark.xdist_group("roomlet-peers")


@pytest.mark.parametrize("sdk", ["python newest", "python year-old", "node"])
async def test_an_sdk_is_heard_and_hears_and_answers(sdk: str, livekit: Server, room: str, come: Gather) -> None:
    command, environment = node_sdk() if sdk == "node" else python_sdk(sdk.split()[1])
    ann = await come("ann")
    await ann.play(440)
    async with peer(command, livekit, room, plays=700, listens_to=("ann", 440), environment=environment) as other:
        await ann.hears("peer", 700, seconds=20)
        assert await other.says("heard") == 440
        await ann.room.local_participant.publish_data(b"ping", topic="test")
        packet = await within("the peer's answer", ann.data.get())
        assert packet.data == b"pong to ann"
    await ann.saw("left", "peer")


@contextlib.asynccontextmanager
async def agents(server: Server, name: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker of livekit-agents as a process that the server knows: a LiveKit server keeps no job for a later one."""
    environment = {
        **os.environ,
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.key,
        "LIVEKIT_API_SECRET": server.secret,
        "AGENT_NAME": name,
        "AGENT_HZ": "910",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENTS / "agent.py"),
        "start",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    registered = asyncio.Event()
    reading = asyncio.create_task(_read(process, registered))
    try:
        await within("the worker is registered", registered.wait(), 30)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # Asked to stop, it would wait for its jobs.
        await process.wait()
        reading.cancel()  # A job's process may hold the pipe a little longer.


async def _read(process: asyncio.subprocess.Process, registered: asyncio.Event) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if b"registered worker" in line:
            registered.set()


async def test_an_agent_worker_gets_a_job_speaks_and_writes(livekit: Server, room: str, come: Gather) -> None:
    name = new_name("agent")
    async with agents(livekit, name), administration(livekit) as admin:
        ann = await come("ann")
        created = await admin.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(agent_name=name, room=room, metadata="the plan")
        )
        assert await within("the agent writes", ann.texts.get(), 30) == ("ann", "the plan for ann")
        identity = next(iter(ann.room.remote_participants))
        assert ann.room.remote_participants[identity].kind == api.ParticipantInfo.Kind.AGENT
        await ann.hears(identity, 910)
        await admin.agent_dispatch.delete_dispatch(created.id, room)
        await ann.saw("left", identity)


# A LiveKit server sends nobody in place of an agent that failed.


async def test_an_agent_that_is_killed_is_replaced_and_its_ghost_removed(server: Running, room: str) -> None:
    name = new_name("agent")
    async with (
        agents(server, name, AGENT_TELLS_PROCESS="yes"),
        administration(server) as admin,
        gathering(server, room) as come,
    ):
        ann = await come("ann")
        await admin.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(agent_name=name, room=room))
        told = await within("the agent tells its process", ann.data.get(), 30)
        assert told.participant is not None
        os.kill(int(told.data), signal.SIGKILL)
        await ann.saw("left", told.participant.identity, seconds=5)
        successor = await within("another agent tells its process", ann.data.get(), 10)
        assert successor.participant is not None
        await ann.hears(successor.participant.identity, 910)


async def test_agents_of_a_killed_worker_are_replaced_by_a_standby(server: Running, room: str) -> None:
    name = new_name("agent")
    async with (
        agents(server, name, AGENT_TELLS_PROCESS="yes") as first,
        administration(server) as admin,
        gathering(server, room) as come,
    ):
        ann = await come("ann")
        await admin.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(agent_name=name, room=room))
        told = await within("the agent tells its process", ann.data.get(), 30)
        assert told.participant is not None
        async with agents(server, name, AGENT_TELLS_PROCESS="yes"):
            first.kill()
            successor = await within("an agent of the other worker tells its process", ann.data.get(), 60)
            assert successor.participant is not None
            await ann.hears(successor.participant.identity, 910)
            await ann.saw("left", told.participant.identity, seconds=30)
