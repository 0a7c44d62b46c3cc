"""A whole web call, offline: people in browsers and on the SDK, one agent, and what is left in the end.

And what a call survives: the death of its agent, of the agent's worker, and of the API.
"""

import asyncio
import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.roomlet.browsers import chromium
from tests.support.up import BEHIND_A_PROXY, ROOT, Up, free_ports, is_alive, kill
from tests.support.waiting import until, wait_for
from tests.support.web_calls import PATIENCE_SECONDS, OnSdk, WebCall, customer_of, wav

LOUD = 500
PEOPLE, AGENT = 0, 1
# An agent that was killed is followed by one that is heard within this time.
HEARD_AGAIN_S = 2.0
log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def talking_up() -> Iterator[Up]:
    """An installation with agents. The API runs beside `rymi up`, so that a test can take it away."""
    up = Up(rooms=True, agents=True, more_environment={"RYMI_AGENT_IDLE_PROCESSES": "2", **BEHIND_A_PROXY})
    up.start()
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@pytest.fixture
async def customer(talking_up: Up) -> AsyncIterator[httpx.AsyncClient]:
    async with customer_of(talking_up) as client:
        yield client


def pid_that_took(up: Up, call_id: str) -> int:
    """The agent's process, as the newest that took the call has logged it."""

    def look() -> int | None:
        taken = [line for line in up.output.splitlines() if '"call_taken"' in line and call_id in line]
        return int(json.loads(taken[-1])["pid"]) if taken else None

    return wait_for("an agent to take the call", look)


async def agents_in(call: WebCall) -> list[tuple[str, str | None]]:
    return [(p["status"], p["leave_reason"]) for p in (await call.look())["participants"] if p["role"] == "agent"]


async def is_greeted(call: WebCall, who: OnSdk) -> None:
    await call.agent_answers_beyond(0)
    await who.is_left_in_peace()


class TestThreePeople:
    async def test_talk_with_one_agent_and_every_word_is_whose_it_was(
        self, talking_up: Up, customer: httpx.AsyncClient
    ) -> None:
        call = await WebCall.create(customer, talking_up.agent(), "ann", "bob", "carl")
        async with chromium() as browser:
            ann, bob = await browser.open("livekit-client"), await browser.open("livekit-client")
            carl = await call.enter("carl", "rms")
            await ann.enter(*call.access("ann"))
            await bob.enter(*call.access("bob"))
            await is_greeted(call, carl)

            # In turn, a sentence each; the agent answers each.
            for who, page, voice, text, word in (
                ("ann", ann, "slt", "How much is a cleaning?", "cleaning"),
                ("bob", bob, "rms", "Is there parking?", "parking"),
            ):
                answers, sound = len(await call.said_by(None)), wav(text, voice)
                await call.understands(partial(page.speak, sound), who, word)
                await call.agent_answers_beyond(answers)
                await carl.is_left_in_peace()
            await call.understands(partial(carl.says, "That is too expensive."), "carl", "expensive")

            # Both at once.
            async def both() -> None:
                one, other = wav("I need a cleaning.", "slt"), wav("On Wednesday, please.", "rms")
                await asyncio.gather(ann.speak(one), bob.speak(other))

            await call.understands(both, "bob", "wednesday")
            for who, words in (("ann", ("wednesday", "parking")), ("bob", ("cleaning",)), ("carl", ("cleaning",))):
                assert not [text for text in await call.said_by(who) if any(word in text for word in words)]

            # One leaves, and the call goes on.
            await carl.caller.leave()
            await until("Carl to have left", lambda: left(call, "carl"), seconds=PATIENCE_SECONDS)
            assert (await call.look())["status"] == "in_progress"
            answers = len(await call.said_by(None))
            await call.understands(partial(ann.speak, wav("At ten o'clock.", "slt")), "ann", "ten")
            await call.agent_answers_beyond(answers)

            # The last leaves.
            await ann.close()
            await bob.run("room.disconnect()")
            await call.becomes("the call to be completed", "completed")

        assert (await call.look())["end_reason"] == "user_disconnect"
        sound = await recording_of(call)
        lines = await call.lines()
        for speaker, channel in (("user", PEOPLE), ("agent", AGENT)):
            off = how_far_off(sound[:, channel], [line for line in lines if line["speaker"] == speaker])
            assert off
            assert max(off.values()) <= 100, (speaker, off)


class TestACallSurvives:
    async def test_the_death_of_its_agent(self, talking_up: Up, customer: httpx.AsyncClient) -> None:
        call = await WebCall.create(customer, talking_up.agent(), "ann")
        ann = await call.enter("ann", "slt")
        await is_greeted(call, ann)
        await call.understands(partial(ann.says, "I need a cleaning."), None, "which day")
        await ann.is_left_in_peace()
        killed_at = time.monotonic()
        kill(pid_that_took(talking_up, call.id))
        heard_after = await heard_again(ann, killed_at)
        await until("the successor to be in the room", lambda: has_successor(call), seconds=PATIENCE_SECONDS)
        # It asks for the time only because it knows what was wanted.
        await call.understands(partial(ann.says, "On Wednesday, please."), None, "what time")
        assert await agents_in(call) == [("left", "connection_lost"), ("active", None)]
        assert heard_after < HEARD_AGAIN_S
        await ann.caller.leave()
        await call.becomes("the call to be completed", "completed")

    async def test_the_death_of_its_agent_s_worker_beside_another(
        self, talking_up: Up, customer: httpx.AsyncClient
    ) -> None:
        (port,) = free_ports(1)
        environment = environment_of_agents(talking_up) | {
            "RYMI_AGENT_PORT": str(port),
            "RYMI_AGENT_FOLDER": str(talking_up.folder / "standby"),
        }
        standby = started_agent(environment)
        try:
            url = f"http://127.0.0.1:{port}/readyz"
            wait_for("the standby to be ready", lambda: answers_well(url), seconds=PATIENCE_SECONDS)
            call = await WebCall.create(customer, talking_up.agent(), "ann")
            ann = await call.enter("ann", "slt")
            await is_greeted(call, ann)
            await call.understands(partial(ann.says, "I need a cleaning."), None, "which day")
            await ann.is_left_in_peace()
            holder = worker_that_holds(talking_up, standby, call)
            killed_at = time.monotonic()
            os.kill(holder, signal.SIGKILL)
            heard_after = await heard_again(ann, killed_at)
            await until("the successor to be in the room", lambda: has_successor(call), seconds=PATIENCE_SECONDS)
            await call.understands(partial(ann.says, "On Wednesday, please."), None, "what time")
            assert heard_after < HEARD_AGAIN_S
            await ann.caller.leave()
            await call.becomes("the call to be completed", "completed")
        finally:
            standby.terminate()
            standby.wait(timeout=60)

    async def test_the_api_s_absence_without_the_loss_of_a_line(
        self, talking_up: Up, customer: httpx.AsyncClient
    ) -> None:
        call = await WebCall.create(customer, talking_up.agent(), "ann")
        ann = await call.enter("ann", "slt")
        await is_greeted(call, ann)
        paused = talking_up.pid_of("api")
        os.kill(paused, signal.SIGSTOP)  # Nothing answers, and nobody starts another one.
        away_since = time.monotonic()
        for text in ("I need a cleaning.", "On Wednesday, please."):
            since = time.monotonic()
            ann.mouth.say(text)
            await ann.is_spoken_to(since + 1)
            await ann.is_left_in_peace()
        await until("twenty seconds without the API", lambda: passed(away_since, 20), seconds=PATIENCE_SECONDS)
        kill(paused)
        wait_for("another API", lambda: not is_alive(paused) and answers_well(f"{talking_up.url}/readyz"))

        async def told() -> bool:
            return len(await call.said_by("ann")) >= 2

        await until("what was said meanwhile to be told", told, seconds=PATIENCE_SECONDS)
        lines = await call.lines()
        assert [line["sequence"] for line in lines] == list(range(len(lines)))
        assert len({(line["started_at_ms"], line["text"]) for line in lines}) == len(lines)
        assert len(await agents_in(call)) == 1
        await ann.caller.leave()
        await call.becomes("the call to be completed", "completed")


class TestTheCallCommand:
    def test_holds_a_call_and_tells_what_came_of_it(self, talking_up: Up) -> None:
        words = ("call", "--json", "--identity", "dora", "--say", "How much is a cleaning?", "--say", "Goodbye.")
        held = talking_up.command(*words, timeout=240)
        assert held.returncode == 0, held.stderr
        told = [json.loads(line) for line in held.stdout.splitlines()]
        assert told[0]["event"] == "call"
        lines = [each for each in told if each["event"] == "transcript"]
        assert {line["identity"] for line in lines if line["speaker"] == "user"} <= {"dora"}
        assert any(line["speaker"] == "agent" for line in lines)
        result = told[-1]
        assert (result["event"], result["status"]) == ("result", "completed")
        assert result["bill_duration"] >= 30

    def test_names_an_agent_that_is_not_there(self, talking_up: Up) -> None:
        refused = talking_up.command("call", "--agent", "Nobody")
        assert (refused.returncode, refused.stderr) == (1, "rymi: There is no agent 'Nobody'.\n")

    def test_says_what_a_microphone_needs(self, talking_up: Up) -> None:
        refused = talking_up.command("call", "--mic")
        assert refused.returncode == 1
        assert refused.stderr.startswith(("rymi: --mic needs the sounddevice package", "rymi: --mic needs PortAudio"))
        assert "Traceback" not in refused.stderr

    def test_says_that_nothing_runs(self) -> None:
        up = Up()
        refused = up.command("call")
        assert refused.returncode == 1
        assert refused.stderr.startswith("rymi: No `rymi up` has run on")
        shutil.rmtree(up.folder)


async def heard_again(who: OnSdk, killed_at: float) -> float:
    """After how many seconds the next agent is heard. What the killed one has sent is heard a moment longer."""
    await who.is_spoken_to(killed_at + 0.2)
    after = (who.hearing.loud_at or 0.0) - killed_at
    log.info("heard %.1f s after the kill", after)
    return after


def started_agent(environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "rymi_server.entrypoints.agent"]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


async def left(call: WebCall, identity: str) -> bool:
    return await call.status_of(identity) == "left"


async def has_successor(call: WebCall) -> bool:
    return [status for status, _ in await agents_in(call)] == ["left", "active"]


async def passed(since: float, seconds: float) -> bool:
    return time.monotonic() - since > seconds


def answers_well(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def environment_of_agents(up: Up) -> dict[str, str]:
    """What `rymi up` gives its agents, read off a running one."""
    raw = Path(f"/proc/{up.pid_of('agent')}/environ").read_bytes()
    return dict(pair.split("=", 1) for pair in raw.decode().split("\0") if "=" in pair)


def worker_that_holds(up: Up, standby: "subprocess.Popen[bytes]", call: WebCall) -> int:
    """The agent worker whose process took the call: `rymi up` shows only its own one's log."""
    shown = any('"call_taken"' in line and call.id in line for line in up.output.splitlines())
    return up.pid_of("agent") if shown else standby.pid


async def recording_of(call: WebCall) -> np.ndarray:  # type: ignore[type-arg]
    """Both channels of the finished recording, as anybody with the link hears it."""

    async def is_ready() -> bool:
        answer = await call.customer.get(f"/v1/calls/{call.id}/recording")
        return answer.status_code == httpx.codes.OK and answer.json()["recording"]["status"] == "ready"

    await until("the recording", is_ready, seconds=PATIENCE_SECONDS)
    found = (await call.customer.get(f"/v1/calls/{call.id}/recording")).json()["recording"]
    played = await call.customer.get(found["metadata"]["stereo_mix"]["signed_url"])
    assert played.status_code == httpx.codes.OK
    with wave.open(io.BytesIO(played.content)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        rate = file.getframerate()
    step = rate // 100
    whole = samples[: len(samples) // step * step].astype(np.int32)
    return np.abs(whole).reshape(-1, step, 2).max(axis=1)  # The loudest of each 10 ms.


def how_far_off(loudness: np.ndarray, lines: list[dict[str, Any]]) -> dict[str, int]:  # type: ignore[type-arg]
    """Of each line on one side: milliseconds between where it begins in the transcript and where its sound does.

    Of a line that begins while another is said, or without a pause after it, nobody can hear where it begins.
    """
    loud = loudness > LOUD
    onsets = np.array([at for at in np.flatnonzero(loud) if not loud[max(0, at - 12) : at].any()])
    assert len(onsets)
    off, said_until = {}, -1_000
    for line in sorted(lines, key=lambda each: each["started_at_ms"]):
        if line["started_at_ms"] - said_until > 300:
            off[line["text"]] = int(np.abs(onsets * 10 - line["started_at_ms"]).min())
        said_until = max(said_until, line["ended_at_ms"])
    return off
