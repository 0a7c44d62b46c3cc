"""Answers that were only guessed: nothing of them is left once they are given up."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from livekit.agents import Agent, AgentSession, SpeechCreatedEvent, llm
from livekit.agents.voice import SpeechHandle
from structlog.testing import capture_logs
from tests.agent.patience import eventually

from rymi_server.runtime.session.aside import Aside
from rymi_server.runtime.session.conversation import Conversation
from rymi_server.runtime.session.ledger import Ledger
from rymi_server.runtime.session.manners import Manners
from rymi_server.runtime.session.minds import Mind, ResponderMind
from rymi_server.runtime.session.room_text import AgentText
from rymi_server.runtime.thinking.replies import EndCall, HandOff, Heard, OptOut, Step, Words
from rymi_server.speech_engines.promises import Expected


class Counting:
    """A responder that remembers every turn it has answered."""

    opener: str | None = None
    expected: Expected | None = None

    def __init__(self, memory: dict[str, Any] | None) -> None:
        self.turns: list[str] = list((memory or {}).get("turns", []))

    def memory(self) -> dict[str, Any]:
        return {"turns": list(self.turns)}

    async def respond(self, turn: Sequence[Heard]) -> AsyncIterator[Step]:
        self.turns.append(turn[0].text)
        yield Words("Yes.")

    def silence(self, prompts_so_far: int) -> str | None:
        return None

    def not_understood(self, times_before: int) -> str:
        return "Sorry?"


async def answer(mind: ResponderMind, turn: int, text: str) -> None:
    responder, _ = mind.begin(turn)
    async for _ in responder.respond([Heard("ann", text)]):
        pass


class TestResponderMind:
    async def test_answers_a_turn_again_as_if_for_the_first_time(self) -> None:
        mind = ResponderMind(Counting, None)
        await answer(mind, 1, "a clean")
        await answer(mind, 1, "a cleaning")
        assert mind.memory() == {"turns": ["a cleaning"]}

    async def test_forgets_an_answer_that_is_not_given(self) -> None:
        mind = ResponderMind(Counting, None)
        await answer(mind, 1, "a cleaning")
        mind.take_back(2)
        assert mind.memory() == {"turns": ["a cleaning"]}
        await answer(mind, 2, "goodbye")
        mind.take_back(2)
        assert mind.memory() == {"turns": ["a cleaning"]}

    async def test_takes_back_what_was_guessed_after_a_turn_that_went_on(self) -> None:
        mind = ResponderMind(Counting, None)
        await answer(mind, 1, "a cleaning")
        await answer(mind, 2, "on")
        await answer(mind, 3, "friday")
        await answer(mind, 2, "on friday")
        assert mind.memory() == {"turns": ["a cleaning", "on friday"]}


async def promise(mind: ResponderMind, turn: int, *effects: Step) -> None:
    _, attempt = mind.begin(turn)
    attempt.effects.extend(effects)


class TestWhatAnInterruptedAnswerBringsAbout:
    async def test_is_all_but_the_end_of_the_call_and_only_once(self) -> None:
        mind = ResponderMind(Counting, None)
        await promise(mind, 1, OptOut("ann"), HandOff("Angry."), EndCall("done", "Bye."))
        assert mind.take_effects(interrupted=True) == [OptOut("ann"), HandOff("Angry.")]
        assert mind.take_effects(interrupted=True) == mind.take_effects() == []

    async def test_is_nothing_of_the_guess_behind_it(self) -> None:
        mind = ResponderMind(Counting, None)
        await promise(mind, 1, OptOut("ann"))
        await promise(mind, 2, HandOff("Angry."))
        assert mind.take_effects(interrupted=True) == [OptOut("ann")]
        assert mind.take_effects() == [HandOff("Angry.")]


class Quietly:
    """A session that only says what is listened to."""

    def on(self, *_: Any) -> None: ...


def conversation() -> Conversation:
    nothing = cast(Any, lambda *_: None)
    return Conversation(
        session=cast(AgentSession[Any], Quietly()),
        mind=cast(Mind, ResponderMind(Counting, None)),
        manners=Manners(),
        ledger=cast(Ledger, None),
        text=cast(AgentText, None),
        send=nothing,
        show_state=nothing,
        participant_of=nothing,
        expect=nothing,
        record=nothing,
        leave=nothing,
        press=lambda keys: None,
        now=lambda: 0.0,
        somebody_speaks=lambda: False,
        aside=Aside(nothing, nothing),
    )


def begun(talk: Conversation) -> SpeechHandle:
    handle = SpeechHandle.create()
    event = SpeechCreatedEvent(user_initiated=False, source="generate_reply", speech_handle=handle)
    talk._on_speech(event)
    return handle


async def turn_after(talk: Conversation) -> list[str]:
    """What people have said by then, as the model is told."""
    context = llm.ChatContext.empty()
    context.add_message(role="user", content="a cleaning")
    said = llm.ChatMessage(role="user", content=["on friday"])
    await talk.on_turn(Agent(instructions=""), context, said)
    return [*(item.text_content or "" for item in context.messages()), said.text_content or ""]


class TestConversation:
    async def test_keeps_turns_apart_where_only_a_guess_was_given_up(self) -> None:
        talk = conversation()
        answered = begun(talk)
        answered._mark_scheduled()
        answered._mark_done()
        guess = begun(talk)
        guess.interrupt(force=True)
        guess._mark_done()
        assert await turn_after(talk) == ["a cleaning", "on friday"]

    async def test_says_so_when_something_in_it_fails(self) -> None:
        talk = conversation()
        with capture_logs() as logged:
            talk.typed("To a session that cannot answer.")
            await eventually("it says so", lambda: logged)
        assert [each["event"] for each in logged] == ["conversation_faltered"]

    async def test_joins_turns_where_the_answer_between_them_was_not_heard(self) -> None:
        talk = conversation()
        answered = begun(talk)
        answered._mark_scheduled()
        answered.interrupt(force=True)
        answered._mark_done()
        assert await turn_after(talk) == ["a cleaning on friday"]
