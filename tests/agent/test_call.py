"""A call as it is held, with people made of sound."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from tests.agent.holding import GREETING, PLAYBOOK, STORY, briefing, held_call, with_advanced
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import spoken
from tests.roomlet.waiting import stays

from rymi_server.runtime.briefing import Person
from rymi_server.runtime.reports import EndWanted, Happened, KeysPressed, Line, Order, Remembered
from rymi_server.runtime.session.cast import Cast
from rymi_server.runtime.speaking.player import RATE


class TestACall:
    async def test_greets_answers_and_ends_when_everyone_has_left(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("alice: What about Saturday?")
            await call.said("agent: We are closed on Saturday.")
            turn = call.turns[-1]
            assert (turn.mode, turn.engine, turn.fallback, turn.end_reason) == ("balanced", "webrtc", False, "silence")
            assert turn.answer_heard_at_ms is not None
            assert turn.answer_heard_at_ms - turn.decided_at_ms < 500
            assert call.of(Remembered)
            assert {"listening", "thinking", "speaking"} <= set(call.room.states)
            began = [each.started_at_ms for each in call.room.shown if each.final]
            assert began == sorted(began)
            assert began[-1] >= turn.decided_at_ms
            call.room.leave("alice")
            assert await call.ends() == "everyone_left"

    async def test_is_begun_without_the_silence_that_the_voice_puts_before_its_words(self, tmp_path: Path) -> None:
        # The lips close for 50 ms before this one.
        told = briefing(agent={**with_advanced(), "playbook": {**PLAYBOOK, "opener": "Perfect."}})
        async with held_call(tmp_path, told=told) as call:
            call.room.enter("alice")
            await call.said("agent: Perfect.")
            loud = np.flatnonzero(np.abs(np.frombuffer(call.room.line.sound(), np.int16).astype(int)) > 200)
            assert 0.005 < loud[0] / RATE < 0.015

    async def test_asks_again_twice_where_no_word_was_clear(self, tmp_path: Path) -> None:
        told = [*["Hum hum hum hum"] * 3, "What about Saturday?"]
        async with held_call(tmp_path, ScriptedEar(told, drafts=True, unsure_of=(0, 1, 2))) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            for answer in ("agent: Sorry, I did not get that.", "agent: I am sorry, could you say that"):
                call.room.say("alice", spoken("Hum hum hum hum"))
                await call.said(answer)
            call.room.say("alice", spoken("Hum hum hum hum"))
            lines = list(call.lines)
            await stays("the agent does not ask a third time", lambda: call.lines == lines, 2.0)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert [each.message for each in call.of(Happened)] == ["alice was not understood"] * 2

    async def test_attributes_two_people_who_overlap_and_answers_once(self, tmp_path: Path) -> None:
        people = (
            Person(participant_id="p1", identity="alice", room_identity="alice", role="customer", transport="webrtc"),
            Person(participant_id="p2", identity="+15550100", room_identity="p2", role="customer", transport="pstn"),
        )
        ear = ScriptedEar(["When are you open?", "What about Saturday?"])
        async with held_call(tmp_path, ear, briefing(people=people)) as call:
            call.room.enter("alice")
            call.room.enter("p2")
            await call.said(GREETING)
            length = call.room.say("alice", spoken("When are you open on a normal day?"))
            call.room.say("p2", spoken("What about Saturday? What about Saturday?", "rms"), after_s=length / 2)
            await call.said("alice: When are you open?")
            await call.said("+15550100: What about Saturday?")
            await eventually("it is answered", lambda: [each for each in call.lines[3:] if "agent" in each])
            assert len([each for each in call.lines if each.startswith("agent")]) == 2

    async def test_takes_a_turn_that_was_cut_for_one(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["What about", "Saturday?"])
        async with held_call(tmp_path, ear) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Now what about"))
            await call.said("alice: What about")
            call.room.say("alice", spoken("Saturday please"))
            await call.said("agent: We are closed on Saturday.")
            assert [each for each in call.lines if each.startswith("agent")] == [
                GREETING,
                "agent: We are closed on Saturday.",
            ]

    async def test_answers_what_is_typed_and_what_is_keyed_in(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            assert call.room.guests
            call.room.guests.typed("alice", "What about Saturday?")
            await call.said("alice: What about Saturday?")
            await call.said("agent: We are closed on Saturday.")
            for key in "12#":
                call.room.guests.pressed("alice", key)
            await eventually("the keys are reported", lambda: call.of(KeysPressed))
            assert call.of(KeysPressed)[0].digits == "12#"
            call.room.guests.typed("stranger", "hello")
            await stays("strangers are not heard", lambda: not any("stranger" in each for each in call.lines), 0.2)

    async def test_never_hears_an_observer(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["I may not speak."])) as call:
            call.room.enter("watcher", observer=True)
            await call.said(GREETING)
            seconds = call.room.say("watcher", spoken("What about Saturday?"))
            await stays("nobody is heard", lambda: call.lines == [GREETING], seconds + 1.5)

    async def test_tells_that_somebody_cannot_be_heard_and_hears_them_again(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"], fails=2)) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            await eventually(
                "it is told", lambda: [each for each in call.of(Happened) if "cannot be heard" in each.message]
            )
            await eventually("the ear is opened", lambda: call.running and call.room, 1)
            await asyncio.sleep(1.0)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("alice: What about Saturday?")


class TestATelevision:
    async def test_on_one_line_keeps_nobody_else_from_being_answered(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["What about Saturday?"])
        async with held_call(tmp_path, ear) as call:
            call.room.enter("alice")
            call.room.enter("bob")
            await call.said(GREETING)
            programme = spoken(STORY, "rms")
            ends = time.monotonic() + call.room.say("bob", np.concatenate([programme, programme]))
            call.room.say("alice", spoken("What about Saturday?"), after_s=2.0)
            await call.said("alice: What about Saturday?")
            await call.said("agent: We are closed on Saturday.")
            assert time.monotonic() < ends - 3


class TestBeforeTheFirstTurn:
    async def test_waits_for_the_caller_where_that_is_wanted(self, tmp_path: Path) -> None:
        told = briefing(agent=with_advanced(startSpeakingPhrasing="wait_for_user"))
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"]), told) as call:
            call.room.enter("alice")
            await stays("the agent is silent", lambda: not call.room.line.heard(), 1.0)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")

    async def test_goes_on_where_a_predecessor_died(self, tmp_path: Path) -> None:
        line = Line(speaker="user", identity="alice", text="What about Saturday?", started_at_ms=10, ended_at_ms=20)
        started = datetime.now(UTC) - timedelta(seconds=30)
        async with held_call(tmp_path, told=briefing(said=(line,), clock_started_at=started)) as call:
            entered = time.monotonic()
            call.room.enter("alice")
            assert await call.agent_heard(entered) - entered < 2.0
            await call.said("agent: Sorry, I was gone for a moment.")
            await call.said("agent: We are closed on Saturday.")
            said = next(each for each in call.reports if each.kind == "said")
            assert said.line.started_at_ms > 29_000


class TestAnEnd:
    async def test_is_asked_for_after_a_long_silence(self, tmp_path: Path) -> None:
        told = briefing(agent=with_advanced(silencePromptDelay=1, postSilenceHangup=7))
        async with held_call(tmp_path, told=told) as call:
            call.room.enter("alice")
            await call.said("still there")
            await eventually("the end is asked for", lambda: call.of(EndWanted), 20)
            assert call.of(EndWanted)[0].reason == "silence"
            call.over = True
            assert await call.ends() == "call_over"

    async def test_is_not_for_the_silence_of_who_is_being_talked_to(self, tmp_path: Path) -> None:
        told = briefing(agent=with_advanced(silencePromptDelay=0, postSilenceHangup=4))
        async with held_call(tmp_path, ScriptedEar(["Tell me a story."]), told) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.said(f"agent: {STORY}")
            await stays("she may answer", lambda: not call.of(EndWanted), 2.0)
            await eventually("the end is asked for", lambda: call.of(EndWanted), 20)

    async def test_is_not_for_the_silence_of_who_was_on_hold(self, tmp_path: Path) -> None:
        told = briefing(agent=with_advanced(silencePromptDelay=0, postSilenceHangup=4))
        async with held_call(tmp_path, told=told) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="step_back"))
            await stays("she is on hold", lambda: not call.of(EndWanted), 5.0)
            call.orders.append(Order(number=2, kind="come_back", text="Nobody could be reached."))
            await call.said("agent: Nobody could be reached.")
            await stays("she may answer", lambda: not call.of(EndWanted), 2.0)
            await eventually("the end is asked for", lambda: call.of(EndWanted), 20)

    async def test_comes_with_the_longest_duration(self, tmp_path: Path) -> None:
        def short(cast: Cast) -> Cast:
            return replace(cast, manners=replace(cast.manners, longest_s=1.0, last_words="Goodbye then."))

        async with held_call(tmp_path, change=short) as call:
            call.room.enter("alice")
            await call.said("agent: Goodbye then.")
            await eventually("the end is asked for", lambda: call.of(EndWanted))
            assert call.of(EndWanted)[0].reason == "max_duration"
