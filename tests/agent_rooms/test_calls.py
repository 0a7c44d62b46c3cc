"""Calls in real rooms, held by real job processes, with engines that work offline and callers that speak."""

import asyncio
import os
import signal
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.agent.patience import eventually
from tests.agent.people import Caller
from tests.agent.voices import cough, spoken
from tests.agent_rooms.conftest import Call
from tests.agent_rooms.talking import (
    CLOSED_THEN,
    OPEN,
    OPEN_THEN,
    RECORDED,
    SATURDAY,
    WORD,
    answers,
    begins_its_story,
    heard,
    understood,
    words,
)
from tests.agent_rooms.workers import Worker

from rymi_server.runtime.reports import ClockStarted, Said, SegmentRecorded

RATE = 16_000
# For so long an API may be away.
AWAY_S = 20.0
# What is promised of an agent that was killed.
HEARD_AGAIN_S = 2.0
# A second and a fifth of one are usual where nothing else runs.
RESUMED_S, SILENT_S = 6.0, 1.0


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert file.getframerate() == RATE
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())


def loud_parts(channel: np.ndarray, level: int = 700) -> list[tuple[int, int]]:
    """Milliseconds between which something is heard; pauses below 350 ms are part of it."""
    loud = np.flatnonzero(np.abs(channel.astype(int)) > level) * 1_000 // RATE
    parts: list[tuple[int, int]] = []
    for at in loud:
        if parts and at - parts[-1][1] < 350:
            parts[-1] = (parts[-1][0], int(at))
        else:
            parts.append((int(at), int(at)))
    return [part for part in parts if part[1] - part[0] > 100]


class TestAWebCall:
    async def test_hears_each_answers_each_and_records_what_it_writes_down(
        self, call: Call, worker: Worker, recorded: Path
    ) -> None:
        call.told(post_call=RECORDED)
        alice = await call.caller("alice")
        sent = time.monotonic()
        await call.send_agent()
        await alice.hears_agent(sent)
        bob = await call.caller("bob")
        await alice.hears_silence()

        await understood(call, alice, SATURDAY)
        await understood(call, bob, OPEN, "rms")
        assert (answers(call, CLOSED_THEN), answers(call, OPEN_THEN)) == (1, 1)

        await self.both_at_once(call, alice, bob)

        finals = [(who, words(text)) for who, text, final in alice.texts if final]
        assert any(who == "bob" and WORD[OPEN] in text for who, text in finals)
        assert ("agent-run1", words(OPEN_THEN)) in finals

        await bob.leave()
        call.callers.remove(bob)
        await understood(call, alice, OPEN)
        assert call.api.lines[-1] == f"agent: {OPEN_THEN}"
        await call.everyone_leaves()
        await eventually("the recording is reported", lambda: call.api.of(SegmentRecorded))
        self.recording_lines_up(call, recorded)

    async def both_at_once(self, call: Call, alice: Caller, bob: Caller) -> None:
        for _ in range(3):
            before, lines = len(heard(call)), len(call.api.lines)
            seconds = alice.say(spoken(SATURDAY))
            bob.say(spoken(OPEN, "rms"), after_s=seconds * 0.6)
            await asyncio.sleep(seconds)
            await eventually(
                "they are answered",
                lambda since=lines: [each for each in call.api.lines[since:] if each.startswith("agent")],
            )
            await alice.hears_silence()
            if len(heard(call)) >= before + 2:
                break
        assert sorted(heard(call)[before:], key=str) == [("alice", SATURDAY), ("bob", OPEN)]

    def recording_lines_up(self, call: Call, recorded: Path) -> None:
        segment: SegmentRecorded = call.api.of(SegmentRecorded)[0]
        both = samples_of(recorded.parent / segment.key)
        assert abs(len(both) * 1_000 // RATE - segment.duration_ms) <= 20
        assert set(segment.tracks) == {"id-alice", "id-bob"}
        people, agent = loud_parts(both[:, 0]), loud_parts(both[:, 1])
        said = [each.line for each in call.api.of(Said)]
        for line in said:
            began = line.started_at_ms - segment.started_at_ms
            ended = line.ended_at_ms - segment.started_at_ms
            parts = agent if line.speaker == "agent" else people
            assert any(abs(part[0] - began) <= 100 for part in parts) or _within(began, parts), (line, parts)
            assert any(abs(part[1] - ended) <= 150 for part in parts) or _within(ended, parts), (line, parts)

    async def test_goes_on_after_a_cough_and_stops_for_words(self, call: Call, worker: Worker) -> None:
        alice = await call.caller("alice")
        bob = await call.caller("bob")
        sent = time.monotonic()
        await call.send_agent()
        await alice.hears_agent(sent)
        await alice.hears_silence()
        await begins_its_story(call, alice)
        await asyncio.sleep(1.0)
        bob.say(cough())
        await eventually(
            "the agent falls silent", lambda: [each for each in alice.packets if each[1] == "rymi.agent_audio"]
        )
        paused, lines = time.monotonic(), len(call.api.lines)
        resumed = await alice.hears_agent(paused + 0.15)
        assert resumed - paused < RESUMED_S
        assert len(call.api.lines) == lines, "it is still at its story"
        await asyncio.sleep(0.8)
        alice.say(spoken(SATURDAY))
        await eventually("alice speaks", lambda: alice.spoke_at)
        spoke = alice.spoke_at
        await eventually("she is answered", lambda: len(call.api.lines[lines:]) > 2)
        assert alice.silent_from(spoke - 0.05) - spoke < SILENT_S
        await alice.hears_silence()
        if not answers(call, CLOSED_THEN):
            await understood(call, alice, SATURDAY)
        assert answers(call, CLOSED_THEN) == 1
        story = next(each for each in call.api.lines if "Once upon" in each)
        assert "ever been" not in story

    async def test_hears_who_speaks_into_another_microphone(self, call: Call, worker: Worker) -> None:
        alice = await call.caller("alice")
        sent = time.monotonic()
        await call.send_agent()
        await alice.hears_agent(sent)
        await alice.hears_silence()
        await alice.change_microphone()
        await understood(call, alice, OPEN)
        await alice.change_microphone()
        await understood(call, alice, SATURDAY)

    async def test_knows_who_comes_back_and_does_not_greet_again(self, call: Call, worker: Worker) -> None:
        alice = await call.caller("alice")
        await call.send_agent()
        bob = await call.caller("bob")
        await eventually("the greeting was said", lambda: call.api.lines)
        await bob.leave()
        call.callers.remove(bob)
        bob = await call.caller("bob")
        await alice.hears_silence()
        await asyncio.sleep(0.5)
        await understood(call, bob, OPEN, "rms")
        assert answers(call, OPEN_THEN) == 1
        assert len([each for each in call.api.lines if "Hello" in each]) == 1

    async def test_counts_an_observer_as_somebody_who_listens(self, call: Call, worker: Worker) -> None:
        watcher = await call.caller("watcher", listens_only=True)
        sent = time.monotonic()
        await call.send_agent()
        await watcher.hears_agent(sent)
        await call.everyone_leaves()
        await eventually("the agent has left", lambda: call.call_id in worker.calls_left)


class TestAKilledAgent:
    async def test_leaves_its_lines_and_its_recording_and_is_followed_by_another(
        self, call: Call, worker: Worker, recorded: Path
    ) -> None:
        call.told(post_call=RECORDED)
        alice = await call.caller("alice")
        await call.send_agent()
        await eventually("the greeting was said", lambda: call.api.lines)
        await understood(call, alice, SATURDAY)
        await worker.is_warm()
        # What the API would tell whoever comes next.
        said = tuple(each.line for each in call.api.of(Said))
        started = call.api.of(ClockStarted)[0].started_at
        call.told(post_call=RECORDED, said=said, clock_started_at=started)
        killed = time.monotonic()
        os.kill(worker.job_of(call.call_id), signal.SIGKILL)
        # The room server gives the job out again, and with it the same run.
        again = await alice.hears_agent(killed + 0.2)
        await eventually("it says that it is back", lambda: any("back now" in each for each in call.api.lines))
        assert [each for each in call.api.lines if "closed" in each], "what was reported before is kept"
        assert again - killed < HEARD_AGAIN_S
        assert call.api.deaths == ["run1"], "the worker beside it has told of it"
        await call.everyone_leaves()
        torn = f"{call.call_id}.run1-0.wav"
        await eventually(
            "the second piece is reported",
            lambda: [each for each in call.api.of(SegmentRecorded) if not each.key.endswith("run1-0.wav")],
        )
        kept = piece_left(worker.folder / torn, recorded / "tenant" / call.call_id / "run1-0.wav")
        assert loud_parts(kept[:, 1])
        assert len(kept) / RATE > 2.0


class TestAnAgentThatComesTooLate:
    @pytest.mark.parametrize("status", [409, 410])
    async def test_leaves_at_once_and_complains_of_nothing(self, status: int, call: Call, worker: Worker) -> None:
        """The call is over, or another agent was sent for instead."""
        call.api.briefs = status
        alice = await call.caller("alice")
        complained = len(worker.complaints)
        await call.send_agent()
        await eventually(
            "it has gone", lambda: call.call_id in [each["call_id"] for each in worker.logged("agent_not_wanted")], 8
        )
        await eventually("it is not in the room", lambda: not alice.room.remote_participants)
        assert worker.complaints[complained:] == []


class TestAnApiThatGoesAway:
    async def test_loses_no_line(self, call: Call, worker: Worker) -> None:
        alice = await call.caller("alice")
        await call.send_agent()
        await eventually("the greeting was said", lambda: call.api.lines)
        await alice.hears_silence()
        await call.api.stop()
        away = time.monotonic()
        for _ in range(2):
            said = alice.finals("agent")
            alice.say(spoken(SATURDAY))
            await eventually("she is answered", lambda before=said: alice.finals("agent") > before)
            await alice.hears_silence()
        await asyncio.sleep(max(0.0, away + AWAY_S - time.monotonic()))
        assert len(call.api.lines) == 1
        # What the room was shown meanwhile is what the API is told then, line by line.
        shown = [("agent" if who.startswith("agent") else who, text) for who, text, final in alice.texts if final]
        await call.api.start()
        await eventually("all lines are there", lambda: len(call.api.lines) >= len(shown), 20)
        assert sorted(call.api.lines) == sorted(f"{who}: {text}" for who, text in shown)


def piece_left(here: Path, handed_in: Path) -> np.ndarray:
    """What a killed agent has recorded. Its worker brings it to the others when it looks for such, once a minute."""
    try:
        return samples_of(here)
    except FileNotFoundError:
        return samples_of(handed_in)


def _within(moment: int, parts: list[tuple[int, int]]) -> bool:
    """Where two speak at a time, one's beginning lies within the other's sound."""
    return any(part[0] <= moment <= part[1] for part in parts)
