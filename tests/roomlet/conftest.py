"""The servers that roomlet's tests run against."""

import os
from collections.abc import AsyncIterator

import pytest
from tests.roomlet.comparing import HOW_TO_COMPARE_NEWS, LIVEKIT, real_livekit, real_news_port
from tests.roomlet.people import Gather, Server, gathering, new_name
from tests.roomlet.receiving import Receiver, receiving
from tests.roomlet.running import KEY, SECRET, Running, roomlet


@pytest.fixture(scope="session")
async def news() -> AsyncIterator[Receiver]:
    async with receiving(KEY, SECRET) as receiver:
        yield receiver


@pytest.fixture(scope="session")
async def server(news: Receiver) -> AsyncIterator[Running]:
    """One roomlet for all tests that leave it as they found it."""
    async with roomlet("--agent-leave-seconds", "1", "--webhook-urls", news.url) as running:
        yield running
        assert running.errors == []


@pytest.fixture(params=["roomlet", "livekit"] if os.environ.get(LIVEKIT) else ["roomlet"])
def livekit(request: pytest.FixtureRequest) -> Server:
    """Roomlet, and a real LiveKit server where one is given: what a test asks of both is LiveKit's behaviour."""
    if request.param == "livekit":
        return real_livekit()
    running: Running = request.getfixturevalue("server")
    return running


@pytest.fixture
async def told(livekit: Server, request: pytest.FixtureRequest) -> AsyncIterator[Receiver]:
    """What the server that the test asks tells of its rooms."""
    if isinstance(livekit, Running):
        yield request.getfixturevalue("news")
    elif port := real_news_port():
        async with receiving(livekit.key, livekit.secret, port) as receiver:
            yield receiver
    else:
        pytest.skip(HOW_TO_COMPARE_NEWS)


@pytest.fixture
def room() -> str:
    return new_name()


@pytest.fixture
async def come(livekit: Server, room: str) -> AsyncIterator[Gather]:
    async with gathering(livekit, room) as gather:
        yield gather
