"""What an agent in a call does where somebody speaks, or coughs, while it speaks."""

import asyncio
import time
from pathlib import Path

from tests.agent.holding import GREETING, STORY, Held, briefing, held_call, with_advanced
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import cough, spoken
from tests.roomlet.waiting import stays

from rymi_server.runtime.reports import EndWanted, Order, Remembered


async def a_story_begins(call: Held) -> None:
    """Somebody has asked for it, and the agent is in the middle of it."""
    call.room.enter("alice")
    await call.said(GREETING)
    call.room.say("alice", spoken("Tell me a story"))
    await call.agent_heard(time.monotonic() + 1)


class TestAnAgentThatSpeaks:
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
            await a_story_begins(call)
            await asyncio.sleep(1.0)
            call.room.say("alice", spoken("Okay okay"))
            await call.said("alice: Mm-hm, okay.")
            said = time.monotonic()
            assert await call.agent_heard(said + 0.05) - said < 1.0
            await stays("there is one turn only", lambda: all(turn.turn == 1 for turn in call.turns), 0.5)

    async def test_stops_for_words_and_writes_down_what_was_heard(self, tmp_path: Path) -> None:
        async with held_call(tmp_path, ScriptedEar(["Tell me a story.", "What about Saturday?"])) as call:
            await a_story_begins(call)
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
            await a_story_begins(call)
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
            await a_story_begins(call)
            await asyncio.sleep(1.5)
            call.room.say("alice", spoken("Goodbye now, goodbye"))
            await eventually("the agent falls silent", lambda: call.room.signals)
            await call.said(f"agent: {STORY}", 40)
            await eventually("what a successor must know is told", lambda: call.of(Remembered))
            assert call.of(Remembered)[0].memory["said"] == STORY
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert call.of(EndWanted) == []


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
            await a_story_begins(call)
            call.room.say("alice", spoken("What about Saturday?"))
            await call.said("agent: We are closed on Saturday.")
            assert f"agent: {STORY}" in call.lines

    async def test_keeps_what_is_written_meanwhile_and_answers_it_afterwards(self, tmp_path: Path) -> None:
        told = {**with_advanced(), "persona": {"voiceConfig": {"bargeInEnabled": False}}}
        async with held_call(tmp_path, ScriptedEar(["Tell me a story."]), briefing(agent=told)) as call:
            await a_story_begins(call)
            assert call.room.guests
            call.room.guests.typed("alice", "What about Saturday?")
            call.room.guests.typed("alice", "When are you open?")
            await call.said("agent: We are open from nine to five.")
            assert call.lines[-3:] == [
                f"agent: {STORY}",
                "agent: We are closed on Saturday.",
                "agent: We are open from nine to five.",
            ]

    async def test_is_not_interrupted_by_what_is_written_either(self, tmp_path: Path) -> None:
        async with held_call(tmp_path) as call:
            call.room.enter("alice")
            await call.said(GREETING)
            call.orders.append(Order(number=1, kind="say", text=STORY))
            await call.agent_heard(time.monotonic() + 0.3)
            assert call.room.guests
            call.room.guests.typed("alice", "What about Saturday?")
            await call.said("agent: We are closed on Saturday.")
            assert call.lines[-2:] == [f"agent: {STORY}", "agent: We are closed on Saturday."]


class TestWhatTakesTheWord:
    async def test_is_as_many_words_as_the_author_asks_for(self, tmp_path: Path) -> None:
        ear = ScriptedEar(["Tell me a story.", "Not now.", "What about Saturday?"])
        told = briefing(agent=with_advanced(stopSpeakingThreshold=3))
        async with held_call(tmp_path, ear, told) as call:
            await a_story_begins(call)
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
            await a_story_begins(call)
            call.room.say("alice", spoken("Not now"))
            await call.said("alice: Not now.")
            await stays("the agent is not even paused", lambda: call.room.signals == [], 0.5)
