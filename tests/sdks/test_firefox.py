"""`@rymi/web` in Firefox, which negotiates WebRTC in its own way: heard, hearing, reading and being mended."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.roomlet.cable import cable
from tests.roomlet.people import new_name, token
from tests.roomlet.running import Running, roomlet
from tests.sdks.agents import ScriptedAgent, scripted_agent
from tests.sdks.building import Project
from tests.sdks.firefox import HUM_HZ, PLAYS_ONCE_TOUCHED, Firefox, firefox
from tests.sdks.site import site

ME = "firefox"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Firefox]:
    async with firefox() as running:
        yield running


@pytest.fixture(scope="module")
async def pages(project: Project) -> AsyncIterator[str]:
    async with site(project) as address:
        yield address


@pytest.fixture(scope="module")
async def rooms() -> AsyncIterator[Running]:
    async with roomlet() as running:
        yield running


@pytest.fixture
async def agent(rooms: Running) -> AsyncIterator[ScriptedAgent]:
    async with scripted_agent(rooms, new_name("call_")) as present:
        yield present


async def enter(browser: Firefox, pages: str, url: str, rooms: Running, agent: ScriptedAgent) -> None:
    await browser.open(pages)
    minted = token(rooms, agent.person.room_name, ME)
    assert await browser.run(f"failure(make({json.dumps(url)}, {json.dumps(minted)}).connect())") == "worked"


class TestFirefox:
    async def test_holds_a_call(self, browser: Firefox, pages: str, rooms: Running, agent: ScriptedAgent) -> None:
        await enter(browser, pages, rooms.url, rooms, agent)
        await browser.until("saw('started') && saw('agent_state', { state: 'listening' })")
        await agent.person.hears(ME, HUM_HZ)
        await browser.until("call.level('agent') > 0.3")
        await agent.says("Hello, ", "how can I help?", segment="1")
        await agent.understands(ME, "Good morning", segment="2", final=True)
        await browser.until("lines().filter((line) => line.isFinal).length === 2")
        final = await browser.run("lines().filter((line) => line.isFinal).map((line) => [line.role, line.text])")
        assert final == [["agent", "Hello, how can I help?"], ["user", "Good morning"]]
        await browser.run("call.sendText('typed')")
        assert await agent.is_typed("typed") == ME
        await browser.run("call.mute()")
        await agent.person.saw("muted", ME)
        await browser.run("call.unmute()")
        await agent.person.hears(ME, HUM_HZ)
        await browser.run("call.disconnect()")
        await browser.until("saw('ended', { reason: 'left' })")
        await agent.person.saw("left", ME)
        assert await browser.run("unhandled") == []

    async def test_goes_on_after_its_socket_was_cut(
        self, browser: Firefox, pages: str, rooms: Running, agent: ScriptedAgent
    ) -> None:
        async with cable(rooms) as pulled:
            await enter(browser, pages, pulled.url, rooms, agent)
            await agent.person.hears(ME, HUM_HZ)
            pulled.jolt()
            await browser.until("saw('reconnecting') && saw('reconnected')")
            await agent.says("Still here", segment="after")
            await browser.until("lines().some((line) => line.text === 'Still here')")
            await agent.person.hears(ME, HUM_HZ)
            await browser.run("call.disconnect()")
        assert await browser.run("unhandled") == []

    async def test_plays_once_the_page_is_touched(self, pages: str, rooms: Running, agent: ScriptedAgent) -> None:
        async with firefox(media__autoplay__default=PLAYS_ONCE_TOUCHED) as strict:
            await strict.open(pages)
            minted = token(rooms, agent.person.room_name, "listener", can_publish=False)
            await strict.run(f"make({json.dumps(rooms.url)}, {json.dumps(minted)}).connect()")
            await strict.until("saw('audio_blocked', { blocked: true }) && call.audioBlocked")
            await strict.touch()
            await strict.until("saw('audio_blocked', { blocked: false }) && !call.audioBlocked")
            await strict.until("call.level('agent') > 0.3")
            assert await strict.run("seen.filter(([name]) => name === 'error')") == []
            await strict.run("call.disconnect()")
