"""The story of a phone call, per carrier, with everything running: a browser, a phone and the agent in one call."""

import asyncio
import contextlib
import io
import json
import shutil
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.phone_lab import CREDENTIALS
from tests.support.up import BEHIND_A_PROXY, Up, kill
from tests.support.waiting import until, wait_for

from rymi_server.entrypoints.calling.caller import Caller, Hearing
from rymi_server.entrypoints.calling.sounds import Lines
from rymi_server.entrypoints.up.demo import NUMBER

_SECONDS = 120
PHONE, INTERRUPTS, HUMAN = "+12025550140", "+12025550141", "+12025550142"
LISTEN = {"do": "listen", "quiet_ms": 900, "patience_ms": 12_000}
VOICE = "en-us+f2"
# Until the agent has gone, also on a busy machine.
PATIENT = {"do": "wait", "ms": 12_000}


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    up = Up(rooms=True, agents=True, phones=True, more_environment=BEHIND_A_PROXY)
    up.start()
    try:
        up.wait_until_ready(seconds=180)
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@dataclass
class Desk:
    """The demo account and the carriers in the box."""

    up: Up
    api: httpx.Client
    box: httpx.Client

    def script(self, number: str, *moves: dict[str, Any]) -> None:
        body = {"moves": list(moves), "ring_ms": 300}
        assert self.box.put(f"/control/scripts/{number}", json=body).status_code == 204

    def call(self, *participants: dict[str, Any], status: int = 202) -> dict[str, Any]:
        body = {"agent_id": self.up.agent(), "participants": list(participants)}
        answer = self.api.post("/v1/calls", json=body)
        assert answer.status_code == status, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def look(self, call_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/v1/calls/{call_id}").json()
        return found

    def events(self, call_id: str) -> list[str]:
        return [event["message"] for event in self.look(call_id)["events"]]

    def phone(self, call_id: str) -> dict[str, Any]:
        """The participant on the phone."""
        return next(each for each in self.look(call_id)["participants"] if each["transport"] == "pstn")

    def lines(self, call_id: str, identity: str) -> list[str]:
        transcript = self.look(call_id)["transcript"] or {"raw": []}
        return [each["text"] for each in transcript["raw"] if each["identity"] == identity]

    def agent_said(self, call_id: str) -> list[str]:
        transcript = self.look(call_id)["transcript"] or {"raw": []}
        return [each["text"] for each in transcript["raw"] if each["speaker"] == "agent"]

    def transfer(self, call_id: str, body: dict[str, Any]) -> int:
        return self.api.post(f"/v1/calls/{call_id}/transfer", json=body).status_code

    def rings(self, number: str) -> bool:
        """Whether somebody is being called there, or is on the line."""
        calls = self.box.get("/control/calls", params={"live": "1"}).json()["calls"]
        return any(each["to"] == number for each in calls)

    def gateway_is_ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.up.gateway_metrics_port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def over(self, call_id: str) -> dict[str, Any]:
        """The call once it is billed."""

        def billed() -> dict[str, Any] | None:
            call = self.look(call_id)
            return call if call["status"] == "completed" and call["bill_duration"] is not None else None

        return wait_for("the call to be over and billed", billed, seconds=_SECONDS)

    def sound(self, call_id: str) -> NDArray[np.int16]:
        """What the phone said and heard, side by side, as the box has recorded it."""
        boxed = self.phone(call_id)["telephony_leg"]["provider_call_id"]
        with wave.open(io.BytesIO(self.box.get(f"/control/calls/{boxed}/both.wav").content)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)


@pytest.fixture
def desk(up: Up) -> Iterator[Desk]:
    with up.customer() as api, httpx.Client(base_url=up.box_url, timeout=30) as box:
        yield Desk(up, api, box)


@pytest.fixture(scope="module", params=CREDENTIALS)
def carrier(request: pytest.FixtureRequest, up: Up) -> str:
    """Connected once, because credentials may not be tried often."""
    name: str = request.param
    with up.customer() as api:
        answer = api.post("/v1/telephony/connect", json=CREDENTIALS[name])
    assert answer.status_code == 200, answer.text
    return name


class TestTheCallCommand:
    """On the demo account as `rymi up` has left it: it comes before any other carrier is connected."""

    def test_rings_somebody_and_tells_what_was_said(self, up: Up) -> None:
        told = self._held(up, "--phone", "+12025550100")
        assert {line["speaker"] for line in told if line["event"] == "transcript"} == {"user", "agent"}

    def test_has_somebody_ring_the_demo_number(self, up: Up) -> None:
        told = self._held(up, "--from-phone", "--say", "I need a cleaning.", "--say", "No, thank you.")
        lines = [line for line in told if line["event"] == "transcript"]
        assert any(line["speaker"] == "agent" for line in lines)
        assert any("cleaning" in line["text"] for line in lines if line["speaker"] == "user")

    def test_does_one_of_the_two(self, up: Up) -> None:
        refused = up.command("call", "--phone", "+12025550100", "--from-phone")
        assert (refused.returncode, refused.stderr.partition(",")[0]) == (1, "rymi: --phone rings somebody")

    @staticmethod
    def _held(up: Up, *words: str) -> list[dict[str, Any]]:
        held = up.command("call", "--json", *words, timeout=300)
        assert held.returncode == 0, held.stderr
        told = [json.loads(line) for line in held.stdout.splitlines()]
        assert (told[-1]["event"], told[-1]["status"]) == ("result", "completed")
        assert told[-1]["bill_duration"] >= 30
        return told


class TestAPhoneAndABrowserWithTheAgent:
    async def test_are_heard_told_apart_and_billed(self, desk: Desk, carrier: str) -> None:
        # No farewell: an agent that understands it ends the call, for the browser as well.
        leaves = [{"do": "say", "text": "Hold on a second.", "voice": VOICE}, {"do": "wait", "ms": 1500}]
        asks = {"do": "say", "text": "I need a cleaning.", "voice": VOICE}
        desk.script(PHONE, LISTEN, asks, LISTEN, {"do": "press", "digits": "5"}, {"do": "wait", "ms": 6000}, *leaves)
        made = desk.call({"transport": "webrtc", "identity": "browser"}, {"transport": "pstn", "identity": PHONE})
        mouth, hearing = Lines("en-us+m3"), Hearing()
        browser = Caller(mouth, hearing)
        try:
            await browser.enter(**made["participants"][0]["access"])
            await eventually("the phone's line", lambda: desk.lines(made["id"], PHONE))
            await mouth.say("At ten o'clock.")
            await eventually("the browser's line", lambda: desk.lines(made["id"], "browser"))
            await eventually("the key", lambda: "Keys pressed: 5" in desk.events(made["id"]))
            await eventually("the phone's end", lambda: desk.phone(made["id"])["status"] == "left")
            assert desk.look(made["id"])["status"] == "in_progress"
        finally:
            await browser.leave()
            await mouth.aclose()
        call = desk.over(made["id"])
        assert call["end_reason"] == "user_disconnect"
        assert call["bill_duration"] % 30 == 0
        self._heard_everybody(desk, made["id"])
        self._on_record(desk, made["id"], carrier)

    @staticmethod
    def _heard_everybody(desk: Desk, call_id: str) -> None:
        """The phone heard the agent, and the browser's voice while the agent was silent."""
        heard = np.abs(desk.sound(call_id)[:, 1].astype(float))
        assert (heard > 500).sum() > 2 * 8000 * 0.2

    @staticmethod
    def _on_record(desk: Desk, call_id: str, carrier: str) -> None:
        def finished() -> dict[str, Any] | None:
            leg: dict[str, Any] = desk.phone(call_id)["telephony_leg"]
            return leg if leg["status"] == "completed" and leg["bill_duration"] else None

        leg = wait_for("the leg's bill", finished, seconds=_SECONDS)
        assert leg["provider"] == carrier
        person = desk.phone(call_id)
        assert person["leave_reason"] == "hung_up"
        # Some carriers bill whole minutes.
        assert 0 < leg["bill_duration"] <= desk.over(call_id)["bill_duration"] + 60
        recording = wait_for(
            "the recording", lambda: desk.api.get(f"/v1/calls/{call_id}/recording").status_code == 200, seconds=_SECONDS
        )
        assert recording

    async def test_who_barges_in_from_a_phone_silences_the_agent(self, desk: Desk, carrier: str) -> None:
        interrupts = {"do": "say", "text": "No, stop, I want to cancel my appointment please.", "voice": VOICE}
        desk.script(INTERRUPTS, {"do": "overhear", "speech_ms": 1000}, interrupts, LISTEN)
        made = desk.call({"transport": "pstn", "identity": INTERRUPTS})
        desk.over(made["id"])
        said, heard = desk.sound(made["id"]).T
        began = int(np.flatnonzero(np.abs(said.astype(float)) > 800)[0])
        # The agent was speaking, and is silent soon, even on a busy machine.
        assert loud_ms(heard[:began])
        assert silent_after_ms(loud_ms(heard[began:])) < 1500


async def eventually(what: str, look: Callable[[], object]) -> None:
    """The browser goes on speaking and listening meanwhile."""

    async def is_true() -> bool:
        return bool(await asyncio.to_thread(look))

    await until(what, is_true, seconds=_SECONDS)


def loud_ms(samples: NDArray[np.int16]) -> set[int]:
    """The frames of 20 ms in which there is sound."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    return {int(at) * 20 for at in np.flatnonzero(np.abs(frames).mean(axis=1) > 150)}


def is_over(heard: NDArray[np.int16]) -> bool:
    """Whether something was heard, and nothing any more for a second and a half."""
    loud = loud_ms(heard)
    return bool(loud) and max(loud) < len(heard) / 8 - 1_500


def silent_after_ms(loud: set[int], quiet_ms: int = 400) -> int:
    """When silence begins that lasts."""
    at = 0
    while any(at + ahead in loud for ahead in range(0, quiet_ms, 20)):
        at += 20
    return at


class TestATransfer:
    """On the carrier that was connected last. What follows once the human is briefed is the same on all of them."""

    async def test_warm_briefs_the_human_alone_and_comes_back_when_they_leave(self, desk: Desk, carrier: str) -> None:
        asks = {"do": "say", "text": "I need a cleaning.", "voice": VOICE}
        # Who asks too early, because the machine is busy, asks again.
        desk.script(PHONE, LISTEN, {"do": "wait", "ms": 10_000}, *(asks, LISTEN) * 3)
        desk.script(HUMAN, LISTEN, {"do": "wait", "ms": 500})
        made = desk.call({"transport": "pstn", "identity": PHONE})
        await eventually("the greeting", lambda: desk.agent_said(made["id"]) and is_over(desk.sound(made["id"])[:, 1]))
        greeted = len(desk.sound(made["id"]))
        asked = {"to": HUMAN, "briefing": "This is Anna, about her appointment on Thursday."}
        assert desk.transfer(made["id"], asked) == 202
        await eventually("the human", lambda: "Transfer: the human is in the call" in desk.events(made["id"]))
        await eventually("the briefing", lambda: any("Thursday" in line for line in desk.agent_said(made["id"])))
        briefed = len(desk.sound(made["id"]))
        back = "Transfer: the human has left; the agent is back"
        await eventually("the agent's return", lambda: back in desk.events(made["id"]))
        await asyncio.to_thread(desk.over, made["id"])
        heard = desk.sound(made["id"])[:, 1]
        assert not loud_ms(heard[greeted:briefed]), "the caller heard no briefing"
        assert len(loud_ms(heard[briefed:])) * 20 > 500, "the caller hears the agent again"

    @pytest.mark.parametrize("carrier", ["vonage"], indirect=True)
    async def test_warm_briefs_the_human_alone_and_leaves_the_call_to_the_people(
        self, desk: Desk, carrier: str
    ) -> None:
        asks = {"do": "say", "text": "Hello Anna, on which day would you like to come?", "voice": VOICE}
        desk.script(HUMAN, LISTEN, PATIENT, asks, LISTEN, {"do": "wait", "ms": 3_000})
        made = desk.call({"transport": "webrtc", "identity": "browser"}, status=201)
        async with in_the_browser(made) as (mouth, hearing):
            await left_to_people(desk, made["id"], hearing)
            assert hearing.quiet_seconds > 3, "the caller has heard nothing since the greeting"
            await eventually("the human's words in the browser", lambda: hearing.quiet_seconds < 1)
            await mouth.say("On Thursday, please, as early as it can be.")
        call = await asyncio.to_thread(desk.over, made["id"])
        assert call["end_reason"] == "user_disconnect"
        assert desk.events(made["id"]).count("Call ended") == 1
        assert desk.events(made["id"]).count("Another agent called") == 0
        said, heard = desk.sound(made["id"]).T
        began = int(np.flatnonzero(np.abs(said.astype(float)) > 800)[0])
        assert len(loud_ms(heard[:began])) * 20 > 1_500, "the human was briefed"
        assert len(loud_ms(heard[began:])) * 20 > 1_000, "the human has heard the caller"
        told = [line for line in desk.agent_said(made["id"]) if "Thursday" in line]
        assert len(told) == 1, "what is said without an agent is not written down"

    @pytest.mark.parametrize("carrier", ["twilio"], indirect=True)
    async def test_warm_sends_another_agent_when_the_human_leaves_before_the_caller(
        self, desk: Desk, carrier: str
    ) -> None:
        desk.script(HUMAN, LISTEN, PATIENT)
        made = desk.call({"transport": "webrtc", "identity": "browser"}, status=201)
        async with in_the_browser(made) as (_, hearing):
            await left_to_people(desk, made["id"], hearing)
            await eventually("another agent", lambda: "Another agent called" in desk.events(made["id"]))
            await eventually("its voice", lambda: hearing.quiet_seconds < 1)
            assert desk.look(made["id"])["status"] == "in_progress"
        assert (await asyncio.to_thread(desk.over, made["id"]))["end_reason"] == "user_disconnect"

    async def test_cold_hands_the_phone_over_to_go_on_without_us(self, desk: Desk, carrier: str) -> None:
        desk.script(PHONE, {"do": "stay"})
        desk.script(HUMAN, {"do": "stay"})
        made = desk.call({"transport": "pstn", "identity": PHONE})
        await eventually("the phone", lambda: desk.phone(made["id"])["status"] == "active")
        assert desk.transfer(made["id"], {"to": HUMAN, "mode": "cold"}) == 202
        call = await asyncio.to_thread(desk.over, made["id"])
        assert call["end_reason"] == "handoff_to_human"
        person = desk.phone(made["id"])
        assert person["leave_reason"] == "transferred"
        boxed = person["telephony_leg"]["provider_call_id"]
        await eventually("the human to be rung", lambda: desk.rings(HUMAN))
        # Nobody hangs up a call that goes on without us.
        assert desk.box.get(f"/control/calls/{boxed}").json()["state"] == "in_progress"
        desk.box.post(f"/control/calls/{boxed}/hang-up")


@contextlib.asynccontextmanager
async def in_the_browser(made: dict[str, Any]) -> AsyncIterator[tuple[Lines, Hearing]]:
    mouth, hearing = Lines("en-us+m3"), Hearing()
    browser = Caller(mouth, hearing)
    try:
        await browser.enter(**made["participants"][0]["access"])
        yield mouth, hearing
    finally:
        await browser.leave()
        await mouth.aclose()


async def left_to_people(desk: Desk, call_id: str, hearing: Hearing) -> None:
    """The greeting is over, a human was called in and briefed, and the agent has gone."""
    await eventually("the greeting", lambda: desk.agent_said(call_id) and hearing.quiet_seconds > 1)
    asked = {"to": HUMAN, "briefing": "This is Anna, about her appointment on Thursday.", "agent": "leave"}
    assert desk.transfer(call_id, asked) == 202
    await eventually("the briefing", lambda: any("Thursday" in line for line in desk.agent_said(call_id)))
    await eventually("the agent's leaving", lambda: "Agent left" in desk.events(call_id))


class TestAGatewayThatIsKilled:
    async def test_costs_its_own_calls_and_is_back_for_the_next(self, desk: Desk, carrier: str) -> None:
        desk.script(PHONE, {"do": "stay"})
        made = desk.call({"transport": "pstn", "identity": PHONE})
        await eventually("the phone", lambda: desk.phone(made["id"])["status"] == "active")
        kill(desk.up.pid_of("gateway"))
        call = await asyncio.to_thread(desk.over, made["id"])
        # Who notices first, the carrier or the room server, is a matter of chance.
        assert call["end_reason"] in ("user_disconnect", "provider_disconnect", "room_closed")
        # Nobody stays on a line that nobody listens to.
        await eventually("the phone's end", lambda: not desk.rings(PHONE))
        await eventually("a new gateway", desk.gateway_is_ready)
        again = desk.call({"transport": "pstn", "identity": PHONE})
        await eventually("the next phone", lambda: desk.phone(again["id"])["status"] == "active")
        assert desk.api.post(f"/v1/calls/{again['id']}/end").status_code == 200


class TestABoxThatIsKilled:
    def test_has_forgotten_everything_and_is_given_the_demo_accounts_line_again(self, desk: Desk) -> None:
        kill(desk.up.pid_of("carrierbox"))

        def laid() -> bool:
            try:
                numbers = desk.box.get("/control/numbers").json()["numbers"]
            except httpx.TransportError:
                return False
            return any(each["number"] == NUMBER and each["settings"].get("voice_url") for each in numbers)

        wait_for("the demo account's number to come to us again", laid, seconds=_SECONDS)
