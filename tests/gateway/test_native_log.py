"""What the SDK's native part writes of itself, where nobody can take it away: to the process's own stderr."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest
from livekit import api
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import within

GUEST = """
import asyncio, sys
from livekit import rtc
from rymi_server.rooms.sdk_events import direct_events

async def stay(url, token):
    room, over = rtc.Room(), asyncio.Event()
    room.on("disconnected", lambda *_: over.set())
    await room.connect(url, token)
    source = rtc.AudioSource(48000, 1)
    await room.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("tone", source))
    await room.local_participant.publish_data(b"hello")
    print("here", flush=True)
    await over.wait()

direct_events()
asyncio.run(stay(*sys.argv[1:]))
"""


async def guest(running: Running, **environment: str) -> str:
    """What somebody writes whose room is closed."""
    grants = api.VideoGrants(room_join=True, room="quiet")
    token = api.AccessToken(running.key, running.secret).with_identity("ann").with_grants(grants).to_jwt()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        GUEST,
        running.url,
        token,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert await within("the guest is there", process.stdout.readline(), 20) == b"here\n"
    async with api.LiveKitAPI(running.http_url, running.key, running.secret) as rooms:
        await rooms.room.delete_room(api.DeleteRoomRequest(room="quiet"))
    _, written = await within("the guest has left", process.communicate(), 20)
    return written.decode()


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with roomlet() as running:
        yield running


async def test_the_end_of_a_call_is_no_error(running: Running) -> None:
    assert await guest(running) == ""


async def test_whoever_wants_to_know_is_told(running: Running) -> None:
    assert "livekit::rtc_engine::rtc_session" in await guest(running, RUST_LOG="livekit=debug")
