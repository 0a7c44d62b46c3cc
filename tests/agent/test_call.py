"""A call as it is held, with people made of sound."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from tests.agent.holding import PLAYBOOK, STORY, briefing, held_call
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import cough, spoken
from tests.roomlet.waiting import stays

from rymi_server.runtime.briefing import Person
from rymi_server.runtime.reports import EndWanted, Happened, KeysPressed, Line, Order, Remembered
from rymi_server.runtime.session.cast import Cast

GREETING = "agent: Hello there."


def with_advanced(**advanced: Any) -> dict[str, Any]:
    return {"playbook": PLAYBOOK, "advanced": {"turnDetectorMode": "balanced", **advanced}}


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

    async def test_goes_on_where_it_was_after_a_cough(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["Tell me a story.", ""])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.said("alice: Tell me a story.")
            began = await call.agent_heard(time.monotonic())
            await asyncio.sleep(1.5)
            call.room.say("alice", cough())
            await eventually("the agent falls silent", lambda: call.room.signals)
            paused = call.room.signals[-1][0]
            resumed = await call.agent_heard(paused + 0.1)
            assert resumed - paused < 2.5
            assert call.room.signals[-1][1:] == ("rymi.agent_audio", {"event": "cut"})
            await call.said("than anybody had ever been", 40)
            line = next(each for each in call.lines if "telephone" in each)
            assert line == f"agent: {STORY}"
            assert began < paused

    async def test_goes_on_after_a_sign_that_somebody_listens(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["Tell me a story.", "Mm-hm, okay."])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            await asyncio.sleep(1.0)
            call.room.say("alice", spoken("Okay okay"))
            await call.said("alice: Mm-hm, okay.")
            said = time.monotonic()
            assert await call.agent_heard(said + 0.05) - said < 1.0
            await stays("there is one turn only", lambda: all(turn.turn == 1 for turn in call.turns), 0.5)

    async def test_stops_for_words_and_writes_down_what_was_heard(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["Tell me a story.", "What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            await asyncio.sleep(2.0)
            spoke = time.monotonic()
            call.room.say("alice", spoken("What about Saturday?"))
            await eventually("the agent falls silent", lambda: call.room.signals)
            assert call.room.signals[0][0] - spoke < 0.6
            await call.said("agent: We are closed on Saturday.")
            cut = next(each for each in call.lines if "Once upon" in each)
            assert cut.removeprefix("agent: ") != STORY
            assert STORY.startswith(cut.removeprefix("agent: ").rstrip(" -"))
            interrupted = next(turn for turn in call.turns if turn.interrupted_at_ms)
            assert interrupted.silent_at_ms is not None

    async def test_has_an_answer_ready_for_whoever_interrupts(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["Tell me a story.", "What about Saturday?"], drafts=True)
        async with held_call(tmp_path, ear) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            await asyncio.sleep(2.0)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            await eventually("both turns are told", lambda: len(call.turns) == 2)
            assert call.turns[0].interrupted_at_ms
            # Spoken ahead, while the story might still have gone on.
            assert call.turns[1].parts["voice_ms"] == 0

    async def test_takes_back_an_answer_to_what_was_nothing(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["Tell me a story.", "Goodbye.", "What about Saturday?"], drafts=True, unsure_of=(1,))
        async with held_call(tmp_path, ear) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            await asyncio.sleep(1.5)
            call.room.say("alice", spoken("Goodbye now, goodbye"))
            await eventually("the agent falls silent", lambda: call.room.signals)
            await call.said(f"agent: {STORY}", 40)
            await eventually("what a successor must know is told", lambda: call.of(Remembered))
            assert call.of(Remembered)[0].memory["said"] == STORY
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert call.of(EndWanted) == []

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


class TestASentenceThatMustBeHeard:
    async def test_is_said_to_its_end_and_what_is_said_over_it_is_answered_afterwards(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="say", text=STORY))
            began = await call.agent_heard(time.monotonic() + 0.3)
            call.room.say("alice", spoken("What about Saturday?"), after_s=0.5)
            await call.said("alice: What about Saturday?")
            assert call.room.signals == []
            await call.said("agent: We are closed on Saturday.")
            assert call.lines[-2:] == [f"agent: {STORY}", "agent: We are closed on Saturday."]
            assert time.monotonic() - began > 5

    async def test_is_every_one_of_an_agent_that_is_not_to_be_interrupted(self, tmp_path: Path) -> None:
        told = {**with_advanced(), "persona": {"voiceConfig": {"bargeInEnabled": False}}}
        ear = ScriptedEar(["Tell me a story.", "What about Saturday?"])
        async with held_call(tmp_path, ear, briefing(agent=told)) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert f"agent: {STORY}" in call.lines


class TestWhatTakesTheWord:
    async def test_is_as_many_words_as_the_author_asks_for(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["Tell me a story.", "Not now.", "What about Saturday?"])
        told = briefing(agent=with_advanced(stopSpeakingThreshold=3))
        async with held_call(tmp_path, ear, told) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            call.room.say("alice", spoken("Not now"))
            await call.said("alice: Not now.")
            said = time.monotonic()
            assert await call.agent_heard(said + 0.05) - said < 1.5
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert len(call.turns) >= 2

    async def test_is_as_much_speech_as_the_author_asks_for(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["Tell me a story.", "Not now."])
        told = briefing(agent=with_advanced(stopSpeakingThreshold=2_500))
        async with held_call(tmp_path, ear, told) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.room.say("alice", spoken("Tell me a story"))
            await call.agent_heard(time.monotonic() + 1)
            call.room.say("alice", spoken("Not now"))
            await call.said("alice: Not now.")
            await stays("the agent is not even paused", lambda: call.room.signals == [], 0.5)


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

    async def test_comes_with_the_longest_duration(self, tmp_path: Path) -> None:
        def short(cast: Cast) -> Cast:
            return replace(cast, manners=replace(cast.manners, longest_s=1.0, last_words="Goodbye then."))

        async with held_call(tmp_path, change=short) as call:
            call.room.enter("alice")
            await call.said("agent: Goodbye then.")
            await eventually("the end is asked for", lambda: call.of(EndWanted))
            assert call.of(EndWanted)[0].reason == "max_duration"

    async def test_follows_an_order_once(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="say", text="Your credit is nearly gone."))
            await call.said("agent: Your credit is nearly gone.")
            call.orders.append(Order(number=2, kind="say_and_end", text="Goodbye.", reason="credits_exhausted"))
            await call.said("agent: Goodbye.")
            await eventually("the end is asked for", lambda: call.of(EndWanted))
            assert call.of(EndWanted)[0].reason == "credits_exhausted"
            assert len([each for each in call.lines if "credit" in each]) == 1

    async def test_is_no_end_for_who_is_told_to_step_back(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?", "When are you open?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="step_back"))
            await eventually("it has stepped back", lambda: call.room.guests and call.obeyed == 1)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("alice: What about Saturday?")
            await stays("the agent is silent", lambda: len(call.lines) == 2, 1.0)
            call.orders.append(Order(number=2, kind="come_back", text="I am here again."))
            await call.said("agent: I am here again.")
            call.room.say("alice", spoken("When are you open?"))
            await call.said("agent: We are open from nine to five.")


class TestABriefing:
    BRIEF = Order(number=1, kind="brief", text="She wants a refund for two chairs.", participant_id="id-helper")
    THEN = Order(number=2, kind="leave", participant_id="id-helper")

    async def test_is_for_the_human_alone_and_then_the_agent_may_leave(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["What about Saturday?"])) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            asked = time.monotonic()
            call.orders.extend([self.BRIEF, self.THEN])
            call.room.enter("helper")
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: She wants a refund")
            await eventually("it has left", lambda: call.obeyed == 2)
            (begun, only), (over, everybody) = call.room.hearers
            assert (only, everybody) == ("helper", None)
            loud = call.room.line.heard(asked)
            assert begun <= loud[0]
            assert loud[-1] <= over
            assert "The agent leaves the call to the people in it." in [each.message for each in call.of(Happened)]
            assert not [each for each in call.lines if "closed on Saturday" in each]

    async def test_ends_when_the_human_leaves_and_the_agent_waits_to_be_called_back(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            call.room.enter("helper")
            await call.said(GREETING)
            long = self.BRIEF.model_copy(update={"text": STORY})
            call.orders.extend([long, self.THEN])
            await eventually("it briefs", lambda: call.room.hearers)
            await call.agent_heard(call.room.hearers[0][0])
            call.room.leave("helper")
            await eventually("everybody hears it again", lambda: len(call.room.hearers) == 2, 5)
            await eventually("the briefing is done with", lambda: call.obeyed == 1, 5)
            await stays("it does not leave", lambda: call.obeyed == 1, 1.0)
            call.orders.append(Order(number=3, kind="come_back", text="I am here again."))
            await call.said("agent: I am here again.")
            await eventually("it is told", lambda: call.obeyed == 3)

    async def test_is_not_said_where_others_would_hear_it(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            call.room.enter("helper")
            await call.said(GREETING)
            call.room.refuses_privacy = True
            call.orders.append(self.BRIEF)
            await eventually("it is done with", lambda: call.obeyed == 1)
            why = "The human was not briefed: The room did not make the agent's voice private in time."
            assert why in [each.message for each in call.of(Happened)]
            assert call.lines == [GREETING]
            assert call.room.hearers[-1][1] is None
