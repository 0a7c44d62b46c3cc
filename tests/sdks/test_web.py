"""`@rymi/web` in real browsers, in a real room, with an agent by the book."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any

import jwt
import pytest
from livekit import api, rtc
from tests.roomlet.cable import cable
from tests.roomlet.people import administration, new_name, token
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import eventually
from tests.sdks.agents import ScriptedAgent, scripted_agent
from tests.sdks.browsing import Browser, Page, browsing
from tests.sdks.building import Project
from tests.sdks.site import site

Enter = Callable[..., Awaitable[Page]]
ME = "browser-tab-1"
# The next microphone is recorded, on its way, and not sent yet when this is done.
AS_IT_IS_SENT = """(() => {{
  const me = call.room.localParticipant, publish = me.publishTrack.bind(me);
  me.publishTrack = (...given) => {{ const sent = publish(...given); {}; return sent; }};
}})()"""
# The browser's question stands until `allow()`.
ASKED_UNTIL_ALLOWED = """(() => {
  const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => new Promise((allow) => (window.allow = allow)).then(() => ask(wanted));
})()"""


@pytest.fixture(scope="module")
async def rooms() -> AsyncIterator[Running]:
    async with roomlet() as running:
        yield running


@pytest.fixture(scope="module")
async def browser(project: Project) -> AsyncIterator[Browser]:
    async with browsing() as running:
        yield running


@pytest.fixture(scope="module")
async def denying(project: Project) -> AsyncIterator[Browser]:
    """Of somebody who allows no microphone."""
    async with browsing(denies=True) as running:
        yield running


@pytest.fixture(scope="module")
async def pages(project: Project) -> AsyncIterator[str]:
    async with site(project) as address:
        yield address


@pytest.fixture
async def room() -> str:
    return f"call_{new_name()}"


@pytest.fixture
async def agent(rooms: Running, room: str) -> AsyncIterator[ScriptedAgent]:
    async with scripted_agent(rooms, room) as present:
        yield present


@pytest.fixture
async def enter(rooms: Running, room: str, browser: Browser, pages: str) -> AsyncIterator[Enter]:
    """Opens a page and has it join; in the end nothing was left unhandled."""
    opened: list[Page] = []

    async def come(identity: str = ME, *, url: str = "", using: Browser = browser, **options: Any) -> Page:
        page = await using.open(pages)
        opened.append(page)
        minted = token(rooms, room, identity)
        joining = f"make({json.dumps(url or rooms.url)}, {json.dumps(minted)}, {json.dumps(options)}).connect()"
        assert await page.run(f"failure({joining})") == "worked"
        return page

    yield come
    for page in opened:
        assert await page.run("unhandled") == []
        await page.run("call.disconnect()")
        await page.close()


def _tracks_of(identity: str, agent: ScriptedAgent) -> list[rtc.RemoteTrackPublication]:
    return list(agent.person.room.remote_participants[identity].track_publications.values())


async def attempt(browser: Browser, pages: str, expression: str, **context: Any) -> str:
    """How an expression fails on a fresh page, and that nothing else fails with it."""
    page = await browser.open(pages, **context)
    said: str = await page.run(f"failure({expression})")
    assert await page.run("unhandled") == []
    await page.close()
    return said


class TestACall:
    async def test_starts_and_says_who_is_there(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await page.until("saw('started') && saw('agent_state', { state: 'listening' })")
        names = [name for name, _ in await page.run("seen")]
        assert names.index("started") < names.index("participant")
        people = await page.run("call.participants")
        assert [(each["identity"], each["role"], each["isMe"]) for each in people] == [
            (ME, "user", True),
            (agent.person.identity, "agent", False),
        ]
        await agent.person.saw_published(ME)

    async def test_shows_the_agents_line_as_it_grows(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await agent.says("Hello, ", "how can ", "I help?", segment="s1", started_at_ms=1234)
        await page.until("lines().some((line) => line.isFinal)")
        lines = await page.run("lines()")
        assert {line["segmentId"] for line in lines} == {"s1"}
        assert lines[-1]["text"] == "Hello, how can I help?"
        assert (lines[-1]["role"], lines[-1]["startedAtMs"]) == ("agent", 1234)
        assert lines[-1]["participant"]["identity"] == agent.person.identity
        assert [line["isFinal"] for line in lines].count(True) == 1
        for shorter, longer in pairwise(lines):
            assert longer["text"].startswith(shorter["text"])

    async def test_attributes_what_people_say_to_them(self, agent: ScriptedAgent, enter: Enter) -> None:
        page, other = await enter(), await enter("browser-tab-2")
        await agent.understands(ME, "I want", segment="u1", final=False)
        await agent.understands(ME, "I want an appointment", segment="u1", final=True)
        await agent.understands("browser-tab-2", "Me too", segment="u2", final=True)
        for each in (page, other):
            await each.until("lines().filter((line) => line.isFinal).length === 2")
        mine = [line for line in await page.run("lines()") if line["segmentId"] == "u1"]
        assert [(line["text"], line["isFinal"]) for line in mine] == [
            ("I want", False),
            ("I want an appointment", True),
        ]
        assert {(line["role"], line["participant"]["isMe"]) for line in mine} == {("user", True)}
        assert mine[0]["startedAtMs"] == mine[1]["startedAtMs"] >= 0
        theirs = (await page.run("lines()"))[-1]
        assert (theirs["text"], theirs["role"]) == ("Me too", "user")
        assert (theirs["participant"]["identity"], theirs["participant"]["isMe"]) == ("browser-tab-2", False)

    async def test_finishes_a_line_whose_writer_is_gone(self, rooms: Running, room: str, enter: Enter) -> None:
        page = await enter()
        async with scripted_agent(rooms, room) as agent:
            await agent.begins_to_say("I was about", segment="torn")
            await page.until("lines().some((line) => line.segmentId === 'torn')")
        await page.until("lines().some((line) => line.segmentId === 'torn' && line.isFinal)")
        assert (await page.run("lines()"))[-1]["text"] == "I was about"
        await page.until("saw('participant', { change: 'left' })")

    async def test_follows_the_state_of_the_agent(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        for state in ("thinking", "speaking", "listening"):
            await agent.be(state)
            await page.until(f"call.agentState === '{state}'")
        states = [event["state"] for name, event in await page.run("seen") if name == "agent_state"]
        assert states == ["listening", "thinking", "speaking", "listening"]

    async def test_tells_who_speaks_and_how_loud(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await page.until("call.level('agent') > 0.3")
        said = "seen.some(([name, e]) => name === 'speaking' && e.participant.role === 'agent' && e.speaking === {})"
        agent.is_silent(True)
        await page.until("call.level('agent') < 0.1")
        agent.is_silent(False)
        await page.until(said.format("true"))
        agent.is_silent(True)
        await page.until(said.format("false"))
        await page.until("call.level('me') > 0")
        assert await page.run("call.level('nobody')") == 0

    async def test_is_muted_and_unmuted(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await page.run("call.mute()")
        await agent.person.saw("muted", ME)
        assert await page.run("[call.muted, call.level('me')]") == [True, 0]
        await page.run("call.unmute()")
        await agent.person.saw("unmuted", ME)
        said = [event["muted"] for name, event in await page.run("seen") if name == "muted"]
        assert said == [True, False]

    async def test_is_muted_while_its_microphone_is_being_sent(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter(microphone=False)
        await page.run(AS_IT_IS_SENT.format("call.mute()"))
        await page.run("call.unmute()")
        await agent.person.saw("muted", ME)
        assert await page.run("call.muted")

    async def test_is_heard_where_it_was_muted_and_unmuted_meanwhile(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter(microphone=False)
        await page.run(AS_IT_IS_SENT.format("call.mute(), call.unmute()"))
        await page.run("call.unmute()")
        await page.until("call.level('me') > 0")
        await eventually("the agent sees it on", lambda: [each.muted for each in _tracks_of(ME, agent)] == [False])
        assert not await page.run("call.muted")

    async def test_asks_for_one_microphone_however_often_it_is_unmuted(
        self, agent: ScriptedAgent, enter: Enter
    ) -> None:
        page = await enter(microphone=False)
        await page.run("Promise.all([call.unmute(), call.unmute()])")
        await agent.person.saw_published(ME)
        await page.run("call.mute()")
        await agent.person.saw("muted", ME)
        assert [each.muted for each in _tracks_of(ME, agent)] == [True]

    async def test_is_muted_while_people_are_asked_for_the_microphone(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter(microphone=False)
        await page.run(ASKED_UNTIL_ALLOWED)
        await page.run("void call.unmute()")
        await page.until("window.allow !== undefined")
        assert await page.run("call.hasMicrophone")
        await page.run("call.mute()")
        await page.run("allow()")
        await eventually("it is sent, and muted", lambda: [each.muted for each in _tracks_of(ME, agent)] == [True])
        assert await page.run("call.muted")

    async def test_shows_what_is_typed_to_everybody(self, agent: ScriptedAgent, enter: Enter) -> None:
        page, other = await enter(), await enter("browser-tab-2")
        await page.run("call.sendText('Do you take insurance?')")
        for each, is_mine in ((page, True), (other, False)):
            await each.until("lines().length === 1")
            (line,) = await each.run("lines()")
            assert (line["text"], line["role"], line["isFinal"]) == ("Do you take insurance?", "user", True)
            assert (line["participant"]["identity"], line["participant"]["isMe"]) == (ME, is_mine)

    async def test_sends_text_and_keys(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await page.run("call.sendText('Do you take insurance?')")
        assert await agent.is_typed("Do you take insurance?") == ME
        await page.run("call.sendDtmf('1*#d')")
        await eventually("four keys have come", lambda: agent.person.digits.qsize() == 4)
        pressed = [agent.person.digits.get_nowait() for _ in range(4)]
        assert [(each.code, each.digit) for each in pressed] == [(1, "1"), (10, "*"), (11, "#"), (15, "D")]
        for wrong in ("''", "'12x'", "'+49'"):
            assert await page.run(f"failure(call.sendDtmf({wrong}))") == "CallError wrong_argument"
        assert await page.run("failure(call.sendText('  '))") == "CallError wrong_argument"

    async def test_lists_and_changes_devices(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        found = await page.run("call.microphones().then((all) => all.map((each) => each.deviceId))")
        assert len(found) > 1
        await page.run(f"call.useMicrophone({json.dumps(found[-1])})")
        await page.until("saw('device', { kind: 'audioinput' })")
        assert await page.run("failure(call.useMicrophone('no-such-device'))") == "CallError microphone_missing"

    async def test_ends_when_one_leaves(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await page.run("call.disconnect()")
        await page.until("saw('ended', { reason: 'left' })")
        await agent.person.saw("left", ME)
        await page.run("call.disconnect()")
        assert [name for name, _ in await page.run("seen")].count("ended") == 1
        assert await page.run("failure(call.sendText('hello?'))") == "CallError not_connected"

    async def test_ends_when_the_room_is_closed(
        self, rooms: Running, room: str, agent: ScriptedAgent, enter: Enter
    ) -> None:
        page = await enter()
        async with administration(rooms) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        await page.until("saw('ended', { reason: 'call_ended' })")
        assert await page.run("call.state") == "ended"

    async def test_ends_when_the_same_identity_comes_from_elsewhere(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        await enter()
        await page.until("saw('ended', { reason: 'joined_elsewhere' })")

    async def test_ends_when_one_is_taken_out(
        self, rooms: Running, room: str, agent: ScriptedAgent, enter: Enter
    ) -> None:
        page = await enter()
        async with administration(rooms) as admin:
            await admin.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=ME))
        await page.until("saw('ended', { reason: 'removed' })")

    async def test_outlives_a_listener_that_fails(self, agent: ScriptedAgent, enter: Enter, browser: Browser) -> None:
        page = await enter()
        await page.run("void call.on('agent_state', () => { throw new Error('a bug of the page') })")
        await agent.be("thinking")
        await page.until("call.agentState === 'thinking'")
        await agent.be("speaking")
        await page.until("saw('agent_state', { state: 'speaking' })")
        assert "a bug of the page" in " ".join(await browser.problems())


class TestATornConnection:
    async def test_is_mended_and_the_call_goes_on(
        self, rooms: Running, room: str, agent: ScriptedAgent, enter: Enter
    ) -> None:
        async with cable(rooms) as pulled:
            page = await enter(url=pulled.url)
            pulled.jolt()
            await page.until("saw('reconnecting') && saw('reconnected')")
            assert await page.run("call.state") == "connected"
            await agent.says("Still here", segment="after")
            await page.until("lines().some((line) => line.text === 'Still here')")
            await page.run("call.sendText('me too')")
            assert await agent.is_typed("me too") == ME

    async def test_ends_the_call_when_the_server_is_gone_for_good(self, browser: Browser, pages: str) -> None:
        async with roomlet() as doomed:
            page = await browser.open(pages)
            minted = token(doomed, new_name(), ME)
            await page.run(f"make({json.dumps(doomed.url)}, {json.dumps(minted)}).connect()")
            doomed.process.kill()
            await doomed.process.wait()
        await page.until("saw('ended')", seconds=90)
        reasons = [event["reason"] for name, event in await page.run("seen") if name == "ended"]
        assert reasons == ["connection_lost"]
        assert await page.run("seen.filter(([name]) => name === 'error').map(([, e]) => e.code)") == ["connection_lost"]
        assert await page.run("unhandled") == []
        await page.close()

    async def test_ends_the_call_when_the_server_says_that_it_stops(self, browser: Browser, pages: str) -> None:
        async with roomlet() as stopping:
            page = await browser.open(pages)
            minted = token(stopping, new_name(), ME)
            await page.run(f"make({json.dumps(stopping.url)}, {json.dumps(minted)}).connect()")
            await stopping.stop()
            await page.until("saw('ended', { reason: 'server_gone' })")
        assert await page.run("unhandled") == []
        await page.close()


class TestWithoutAMicrophone:
    async def test_one_is_in_the_call_and_told_why(self, agent: ScriptedAgent, enter: Enter, denying: Browser) -> None:
        page = await enter(using=denying)
        assert await page.run("seen.filter(([name]) => name === 'error').map(([, e]) => e.code)") == [
            "microphone_denied"
        ]
        assert await page.run("call.state") == "connected"
        await page.run("call.sendText('I can type')")
        assert await agent.is_typed("I can type") == ME
        await page.until("call.level('agent') > 0.3")

    async def test_an_observer_is_not_asked_for_one(
        self, rooms: Running, room: str, agent: ScriptedAgent, denying: Browser, pages: str
    ) -> None:
        page = await denying.open(pages)
        minted = token(rooms, room, "listener", can_publish=False)
        await page.run(f"make({json.dumps(rooms.url)}, {json.dumps(minted)}).connect()")
        await page.until("call.level('agent') > 0.3")
        assert await page.run("seen.filter(([name]) => name === 'error')") == []
        await page.close()

    async def test_one_who_may_not_speak_is_told_so(
        self, rooms: Running, room: str, agent: ScriptedAgent, browser: Browser, pages: str
    ) -> None:
        page = await browser.open(pages)
        minted = token(rooms, room, ME, can_publish_sources=["camera"])
        await page.run(f"make({json.dumps(rooms.url)}, {json.dumps(minted)}).connect()")
        await page.until("saw('error', { code: 'not_allowed' })")
        assert await page.run("[call.state, call.hasMicrophone]") == ["connected", False]
        await page.close()


class TestWhatCannotWork:
    async def test_is_one_typed_error_each(self, rooms: Running, room: str, browser: Browser, pages: str) -> None:
        good = token(rooms, room, ME)
        late = jwt.decode(good, options={"verify_signature": False}) | {"exp": int(time.time()) - 3600, "nbf": 0}
        expired = jwt.encode(late, rooms.secret, algorithm="HS256")
        forged = jwt.encode(late | {"exp": int(time.time()) + 3600}, "x" * 40, algorithm="HS256")
        nobody = "ws://127.0.0.1:1"
        for url, given, code in (
            ("not a url", good, "wrong_url"),
            ("ftp://127.0.0.1", good, "wrong_url"),
            (rooms.url, "no token", "wrong_token"),
            (rooms.url, "a.b.c", "wrong_token"),
            (rooms.url, expired, "token_expired"),
            (rooms.url, forged, "token_refused"),
            (nobody, good, "server_unreachable"),
            (pages.replace("http", "ws"), good, "timed_out"),
        ):
            quickly = "{ connectTimeoutMs: 5000 }"
            expression = f"make({json.dumps(url)}, {json.dumps(given)}, {quickly}).connect()"
            assert await attempt(browser, pages, expression) == f"CallError {code}", (url, code)

    async def test_a_call_left_while_it_is_entered_is_aborted(
        self, rooms: Running, room: str, browser: Browser, pages: str
    ) -> None:
        minted = token(rooms, room, ME)
        expression = f"(() => {{ const joining = make({json.dumps(rooms.url)}, {json.dumps(minted)}).connect();"
        expression += " void call.disconnect(); return joining; })()"
        assert await attempt(browser, pages, expression) == "CallError aborted"

    async def test_a_call_is_entered_once(self, agent: ScriptedAgent, enter: Enter) -> None:
        page = await enter()
        assert await page.run("call.connect() === call.connect()")

    async def test_a_page_that_asks_for_a_call_wrongly_is_told(self, browser: Browser, pages: str) -> None:
        ask = "Rymi.requestAccess({{ publishableKey: {key}, baseUrl: {base} }})"
        for key, base, code in (
            ("'rymi_live_secret'", "location.origin", "wrong_argument"),
            ("'sb_publishable_x'", "'http://127.0.0.1:1'", "server_unreachable"),
            ("'sb_publishable_x'", "location.origin", "unexpected_answer"),
        ):
            assert await attempt(browser, pages, ask.format(key=key, base=base)) == f"CallError {code}"
