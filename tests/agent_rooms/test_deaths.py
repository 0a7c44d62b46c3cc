"""A worker tells of a death beside it, and what the API's answer means to it."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.agent.api import TOKEN, InternalApi
from tests.agent.patience import eventually
from tests.agent_rooms.conftest import Call
from tests.agent_rooms.workers import agent_worker
from tests.roomlet.people import Server

from rymi_server.runtime.reporting.internal_api import InternalApi as Asking
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.reporter import Undelivered

NAME = "to-be-killed"


@pytest.fixture
async def api() -> AsyncIterator[InternalApi]:
    api = InternalApi()
    await api.start()
    yield api
    await api.stop()


async def refused(url: str, token: str = TOKEN) -> bool:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Undelivered) as error:
            await Asking(http, Address(url, "call", token, "1")).tell_of_death()
    return error.value.refused


class TestADeath:
    async def test_is_told_of_its_run(self, api: InternalApi) -> None:
        async with aiohttp.ClientSession() as http:
            await Asking(http, Address(api.url, "call", TOKEN, "7")).tell_of_death()
        assert api.deaths == ["7"]

    @pytest.mark.parametrize(
        ("status", "is_final"), [(404, True), (410, True), (400, True), (429, False), (500, False), (503, False)]
    )
    async def test_is_told_again_only_where_that_may_help(self, status: int, is_final: bool, api: InternalApi) -> None:
        api.answers = status
        assert await refused(api.url) is is_final

    async def test_is_nobody_s_news_once_the_pass_is_no_longer_good(self, api: InternalApi) -> None:
        assert await refused(api.url, "of yesterday")

    async def test_is_told_again_once_the_api_is_back(self, api: InternalApi) -> None:
        await api.stop()
        assert not await refused(api.url)


class TestAKilledWorker:
    async def test_is_told_of_by_the_one_beside_it(self, call: Call, rooms: Server, tmp_path: Path) -> None:
        """Its job processes are cancelled as it dies. That is no leave."""
        call.agent_name = NAME
        async with agent_worker(rooms, tmp_path, RYMI_AGENT_NAME=NAME) as worker:
            await call.caller("alice")
            await call.send_agent()
            await eventually("the greeting was said", lambda: call.api.lines)
            async with agent_worker(rooms, tmp_path, RYMI_AGENT_NAME=NAME) as beside:
                await worker.stop(signal.SIGKILL)
                await eventually("its call is told of", lambda: call.api.deaths == ["run1"])
                assert [line["call_id"] for line in beside.logged("agent_found_dead")] == [call.call_id]
                await call.everyone_leaves()
