"""SDKs of other ages and languages, each in a room with the Python SDK of the day. Runs against any LiveKit server."""

import asyncio
import contextlib
import os
import sys

import pytest
from livekit import api
from tests.roomlet.browsers import CLIENTS
from tests.roomlet.peers import node_sdk, peer, python_sdk
from tests.roomlet.people import Gather, Server, administration, new_name
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


async def test_an_agent_worker_gets_a_job_speaks_and_writes(livekit: Server, room: str, come: Gather) -> None:
    name = new_name("agent")
    environment = {
        **os.environ,
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "AGENT_NAME": name,
        "AGENT_HZ": "910",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENTS / "agent.py"),
        "start",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ann = await come("ann")
        async with administration(livekit) as admin:
            created = await admin.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(agent_name=name, room=room, metadata="the plan")
            )
            assert await within("the agent writes", ann.texts.get(), 30) == ("ann", "the plan for ann")
            identity = next(iter(ann.room.remote_participants))
            assert ann.room.remote_participants[identity].kind == api.ParticipantInfo.Kind.AGENT
            await ann.hears(identity, 910)
            await admin.agent_dispatch.delete_dispatch(created.id, room)
        await ann.saw("left", identity)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await within("the worker stops", process.wait(), 30)
