"""A chat model as the mind of a call. The model stands for a provider at the other end of a network."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livekit.agents import APIConnectionError, llm
from tests.agent.holding import STORY, Held, briefing, held_call
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import spoken
from tests.roomlet.waiting import stays

from rymi_server.runtime.reports import EndWanted, HandoffWanted, Happened, OptedOut
from rymi_server.runtime.session.media import Guest

BALANCED = {"turnDetectorMode": "balanced"}
UTRECHT = {"town": "Utrecht"}
Answer = tuple[str, str, dict[str, Any]] | str


class ScriptedModel(llm.LLM[Any]):
    """Answers the last user message by a table; an answer may be a tool: (words, name, arguments)."""

    def __init__(self, answer: Callable[[llm.ChatContext], Answer]) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[llm.ChatContext] = []
        self.offered: set[str] = set()

    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, conn_options: Any = None, **_: Any) -> Any:
        self.asked.append(chat_ctx)
        self.offered |= {tool.info.name for tool in tools or []}
        return _Stream(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Stream(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, ScriptedModel)
        answer = model.answer(self._chat_ctx)
        words, call = (answer, None) if isinstance(answer, str) else (answer[0], answer[1:])
        for piece in words.split(" "):
            self._send(llm.ChoiceDelta(role="assistant", content=piece + " "))
        if call is not None:
            tool = llm.FunctionToolCall(name=call[0], arguments=json.dumps(call[1]), call_id="call1")
            self._send(llm.ChoiceDelta(role="assistant", tool_calls=[tool]))

    def _send(self, delta: llm.ChoiceDelta) -> None:
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


def last_words(context: llm.ChatContext) -> str:
    said = [each for each in context.messages() if each.role == "user"]
    return (said[-1].text_content or "") if said else ""


def agent(**more: Any) -> dict[str, Any]:
    return {
        "system_prompt": "You sell lamps in {{town}}.",
        "playbook": {"opener": "Hello from {{town}}.", "endCallMessage": "Goodbye from {{town}}."},
        "advanced": {"turnDetectorMode": "balanced", "prohibitedClaims": ["We give a lifetime guarantee"]},
        **more,
    }


async def _interrupted(call: Held, said: str, line: str) -> None:
    """Alice is greeted, says something, hears a second of the answer, and asks about Saturday."""
    call.room.enter("alice")
    await call.said("agent: Hello from Utrecht.")
    call.room.say("alice", spoken(said))
    await call.said(line)
    began = await call.agent_heard(time.monotonic())
    await call.agent_heard(began + 1)
    call.room.say("alice", spoken("What about Saturday?"))
    await call.said("agent: We are closed on Saturday.")


class TestAModel:
    async def test_is_told_who_speaks_and_ends_the_call_with_its_last_words(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if "bye" in last_words(context):
                return "", "end_call", {"reason": "completed"}
            return "We have red lamps. We give a lifetime guarantee on them."

        model = ScriptedModel(answer)
        told = briefing(agent=agent(), variables={"town": "Utrecht"})
        ear = ScriptedEar(["Do you have lamps?", "Bye bye."])
        async with held_call(tmp_path, ear, told, model=model) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("Do you have lamps?"))
            await call.said("agent: We have red lamps. I cannot promise anything there.")
            assert not any("lifetime" in each for each in call.lines)
            await eventually("it is told", lambda: [each for each in call.of(Happened) if "lifetime" in each.message])
            prompt = model.asked[-1].messages()[0].text_content or ""
            assert "You sell lamps in Utrecht." in prompt
            call.room.say("alice", spoken("Bye bye now"))
            await call.said("agent: Goodbye from Utrecht.")
            await eventually("the end is asked for", lambda: call.of(EndWanted))
            assert call.of(EndWanted)[0].reason == "end_call_tool"
            assert {"end_call", "opt_out"} <= model.offered

    async def test_calls_a_human_and_keeps_people_from_being_called_again(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if context.items[-1].type == "function_call_output":
                return "All right."
            if "human" in last_words(context):
                return "", "handoff_to_human", {"briefing": "wants a red lamp"}
            return "", "opt_out", {}

        tools = [{"tool_id": "handoff_to_human", "enabled": True, "provider_settings": {"number": "+15550123"}}]
        told = briefing(agent=agent(tools=tools), variables={"town": "Utrecht"})
        ear = ScriptedEar(["I want a human.", "Never call me again."])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("I want a human"))
            await eventually("a human is wanted", lambda: call.of(HandoffWanted))
            assert (call.of(HandoffWanted)[0].to, call.of(HandoffWanted)[0].briefing) == (
                "+15550123",
                "wants a red lamp",
            )
            await call.said("agent: All right.")
            call.room.say("alice", spoken("Never call me again"))
            await eventually("it is noted", lambda: call.of(OptedOut))
            assert call.of(OptedOut)[0].participant_id == "id-alice"

    async def test_keeps_from_being_called_whoever_hangs_up_before_they_are_told_so(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if context.items[-1].type == "function_call_output":
                return STORY
            return "", "opt_out", {}

        told = briefing(agent=agent(), variables=UTRECHT)
        ear = ScriptedEar(["Never call me again."])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("Never call me again"))
            await call.said("alice: Never call me again.")
            await call.agent_heard(time.monotonic())
            call.room.leave("alice")
            await call.ends()
        assert [each.participant_id for each in call.of(OptedOut)] == ["id-alice"]

    async def test_is_asked_whose_wish_it_is_where_several_people_speak(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            last = context.items[-1]
            if last.type != "function_call_output":
                return "", "opt_out", {}
            return ("", "opt_out", {"who": "alice"}) if "alice, bob" in last.output else "Noted."

        told = briefing(agent=agent(), variables=UTRECHT)
        ear = ScriptedEar(["Never call me again.", "Okay."])
        model = ScriptedModel(answer)
        async with held_call(tmp_path, ear, told, model=model) as call:
            call.room.enter("alice")
            call.room.enter("bob")
            await call.said("agent: Hello from Utrecht.")
            takes_s = call.room.say("alice", spoken("Never call me again"))
            call.room.say("bob", spoken("Okay okay"), after_s=takes_s + 0.1)
            await call.said("agent: Noted.")
            assert last_words(model.asked[-1]) == "[alice] Never call me again. [bob] Okay."
            assert [each.participant_id for each in call.of(OptedOut)] == ["id-alice"]

    async def test_knows_who_writes_without_a_microphone(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            return "Noted." if context.items[-1].type == "function_call_output" else ("", "opt_out", {})

        told = briefing(agent=agent(), variables=UTRECHT)
        async with held_call(tmp_path, told=told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            assert call.room.guests
            call.room.guests.came(Guest("bob", "id-bob"))
            call.room.guests.typed("bob", "Never call me again.")
            await call.said("agent: Noted.")
            assert [each.participant_id for each in call.of(OptedOut)] == ["id-bob"]

    async def test_does_not_hang_up_on_whoever_interrupts_its_goodbye(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if "Saturday" in last_words(context):
                return "We are closed on Saturday."
            if context.items[-1].type == "function_call_output":
                return ""
            return STORY, "end_call", {"reason": "completed"}

        told = briefing(agent=agent(), variables=UTRECHT)
        ear = ScriptedEar(["Bye bye.", "What about Saturday?"])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            await _interrupted(call, "Bye bye now", "alice: Bye bye.")
            said = time.monotonic()
            await stays("it says no goodbye", lambda: not call.room.line.heard(said), 1.0)
            assert call.of(EndWanted) == []

    async def test_calls_a_human_though_it_is_interrupted_when_it_says_so(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if "Saturday" in last_words(context):
                return "We are closed on Saturday."
            if context.items[-1].type == "function_call_output":
                return STORY
            return "", "handoff_to_human", {"briefing": "wants a red lamp"}

        tools = [{"tool_id": "handoff_to_human", "enabled": True, "provider_settings": {"number": "+15550123"}}]
        told = briefing(agent=agent(tools=tools), variables=UTRECHT)
        ear = ScriptedEar(["I want a human.", "What about Saturday?"])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            await _interrupted(call, "I want a human", "alice: I want a human.")
            last = [each.kind for each in call.reports if each.kind in ("handoff_wanted", "said")][-2:]
            assert last == ["handoff_wanted", "said"]
            assert len(call.of(HandoffWanted)) == 1

    async def test_presses_keys_at_the_other_end_of_a_phone_line(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            if context.items[-1].type == "function_call_output":
                return "I press two."
            return "", "press_keys", {"keys": "2, then #!"}

        told = briefing(agent=agent(tools=[{"tool_id": "press_keys", "enabled": True}]), variables={"town": "Utrecht"})
        ear = ScriptedEar(["For lamps, press two and the hash key."])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("For lamps press two and the hash key"))
            await call.said("agent: I press two.")
            await eventually("the keys are pressed", lambda: call.room.pressed)
            assert call.room.pressed == ["2#"]

    async def test_may_tell_that_the_caller_was_not_done(self, tmp_path: Path) -> None:
        """What it tells so is never spoken, and the caller's next words are answered together with the first."""

        def answer(context: llm.ChatContext) -> Answer:
            return "\u2713 We are closed on Saturday." if "saturday" in last_words(context) else "\u25cb"

        model = ScriptedModel(answer)
        told = briefing(agent=agent(advanced={**BALANCED, "turnCompletion": {"enabled": True}}), variables=UTRECHT)
        ear = ScriptedEar(["now what about", "saturday please"])
        async with held_call(tmp_path, ear, told, model=model) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("Now what about"))
            await eventually("it waits", lambda: [each for each in call.of(Happened) if "not done" in each.message])
            call.room.say("alice", spoken("Saturday please"))
            await call.said("agent: We are closed on Saturday.")
            assert call.lines == [
                "agent: Hello from Utrecht.",
                "alice: now what about",
                "alice: saturday please",
                "agent: We are closed on Saturday.",
            ]
            said = [(each.role, each.text_content) for each in model.asked[-1].messages()[1:]]
            assert said == [
                ("assistant", "\u2713 Hello from Utrecht."),
                ("user", "now what about"),
                ("user", "saturday please"),
            ]

    async def test_asks_a_caller_who_was_not_done_and_does_not_go_on(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            whole = " ".join(each.text_content or "" for each in context.messages())
            return "<done> What about what?" if "has not gone on" in whole else "<thinking>"

        wanted = {"enabled": True, "markerSet": "ascii", "incompleteLongMs": 700}
        told = briefing(agent=agent(advanced={**BALANCED, "turnCompletion": wanted}), variables=UTRECHT)
        ear = ScriptedEar(["now what about"])
        async with held_call(tmp_path, ear, told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("Now what about"))
            await call.said("agent: What about what?")
            assert call.lines[1:] == ["alice: now what about", "agent: What about what?"]

    async def test_that_fails_is_told_of(self, tmp_path: Path) -> None:
        def answer(context: llm.ChatContext) -> Answer:
            raise APIConnectionError("the provider is away", retryable=False)

        told = briefing(agent=agent(), variables={"town": "Utrecht"})
        async with held_call(tmp_path, ScriptedEar(["Do you have lamps?"]), told, model=ScriptedModel(answer)) as call:
            call.room.enter("alice")
            await call.said("agent: Hello from Utrecht.")
            call.room.say("alice", spoken("Do you have lamps?"))
            await eventually("it is told", lambda: [each for each in call.of(Happened) if "failed" in each.message], 20)
            await call.said("agent: Sorry, I cannot think right now", 20)
