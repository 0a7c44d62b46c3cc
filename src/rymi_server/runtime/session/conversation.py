"""One conversation: the session and what is said in it outside of turns: greeting, prompts, goodbyes.

What an answer brings about besides words (an end, a human, a wish not to be called again) never happens on a guess.
It happens once the answer was given or interrupted; only the end does not where the caller went on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from livekit.agents import (
    Agent,
    AgentSession,
    AgentStateChangedEvent,
    CloseEvent,
    ConversationItemAddedEvent,
    ErrorEvent,
    SpeechCreatedEvent,
    StopResponse,
    llm,
)
from livekit.agents.voice import SpeechHandle

from rymi_server.runtime.reports import (
    AnyReport,
    EndWanted,
    Happened,
    Remembered,
)
from rymi_server.runtime.session import consent
from rymi_server.runtime.session.aside import Aside
from rymi_server.runtime.session.consent import Consents
from rymi_server.runtime.session.effects import Effects
from rymi_server.runtime.session.given_replies import Replies, join_last_turn
from rymi_server.runtime.session.ledger import Ledger
from rymi_server.runtime.session.manners import Manners, Quiet
from rymi_server.runtime.session.minds import Mind
from rymi_server.runtime.session.room_text import AgentText
from rymi_server.runtime.session.unfinished import Unfinished
from rymi_server.runtime.thinking.replies import Heard
from rymi_server.runtime.thinking.sentences import SentenceGate
from rymi_server.runtime.thinking.turn_marks import Judged
from rymi_server.speech_engines.promises import Expected

log = structlog.get_logger(__name__)

BACK_AGAIN: Final = "Sorry, I was gone for a moment. I am back now."
# The room is closed by the API within this time after a goodbye; then the agent goes by itself.
_WAITS_FOR_THE_END_S: Final = 10.0
# Who is not understood so often in a row is not asked again: it may be a television.
_ASKS_AGAIN: Final = 2


@dataclass(slots=True)
class Conversation:
    """`leave` ends the call for this agent; `expect` passes on what was just asked for."""

    session: AgentSession[Any]
    mind: Mind
    manners: Manners
    ledger: Ledger
    text: AgentText
    send: Callable[[AnyReport], None]
    show_state: Callable[[str], None]
    participant_of: Callable[[str], str | None]
    expect: Callable[[Expected | None], None]
    record: Callable[[], None]
    leave: Callable[[str], None]
    press: Callable[[str], None]
    now: Callable[[], float]
    somebody_speaks: Callable[[], bool]
    aside: Aside
    consents: Consents = field(default_factory=Consents)
    # Who said what in the text of a turn, by name.
    heard_in: Callable[[str], Sequence[Heard]] = field(default=lambda text: [Heard("", text)])
    # Told of a turn before it is answered, with what was said before it.
    fit_guess: Callable[[llm.ChatContext], None] = field(default=lambda _: None)
    stepped_back: bool = False
    _quiet: Quiet = field(init=False)
    _unfinished: Unfinished = field(init=False)
    _effects: Effects = field(init=False)
    _begun: bool = False
    _greeted: bool = False
    _ending: bool = False
    # How often in a row somebody was not understood.
    _misheard: int = 0
    _began_at: float | None = None
    _replies: Replies = field(default_factory=Replies)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._quiet = Quiet(self.manners)
        self._unfinished = Unfinished(self.mind.completion)
        self._effects = Effects(self.send, self.press, self.end, self.participant_of, self.manners.last_words)
        self.mind.act_at_once(self._effects.bring_about)
        self.session.on("conversation_item_added", self._on_item)
        self.session.on("speech_created", self._on_speech)
        self.session.on("agent_state_changed", self._on_state)
        self.session.on("error", self._on_error)
        self.session.on("close", self._on_close)

    # --- beginning ---------------------------------------------------------------------------------------------------

    def begin(self, *, returning: bool, unanswered: str | None) -> None:
        """The first person is here. `unanswered`: what a person said last, if a predecessor left it unanswered."""
        if self._begun:
            return
        self._begun = True
        self._began_at = self.now()
        if returning:
            self._greeted = True
            self.say(BACK_AGAIN)
            if unanswered:
                self.session.generate_reply(user_input=unanswered)
        self._go_on()

    def came(self, name: str) -> None:
        self.consents.came(name)
        if self._begun:
            self._go_on()

    def left(self, name: str, *, alone: bool) -> None:
        """`alone`: nobody is there any more."""
        self.consents.left(name)
        if self._begun and not alone:
            self._go_on()

    def left_aside(self, identity: str) -> None:
        """What is being said to who has left alone need not be said to its end."""
        if self.aside.is_with(identity):
            self._spawn(self.fall_silent())

    def _go_on(self) -> None:
        """Ask the next one who has to be asked; greet once nobody has."""
        if self.stepped_back or self._ending or self.consents.asked is not None:
            return
        if question := self.consents.next_question():
            self.say(question)
            self.expect(Expected("yes_no"))
        elif not self._greeted:
            self._greet()

    def _greet(self) -> None:
        self._greeted = True
        self.expect(self.mind.expected)
        if self.manners.greets and (opener := self.mind.opener):
            self.say(opener)
        elif self.manners.greets and (how := self.mind.greeting_instructions):
            self.session.generate_reply(instructions=how, tool_choice="none")
        self._quiet.begins(self.now())

    def _consent_answered(self, text: str) -> bool:
        """Whether this was for us: said by the one who was asked, or while nothing else is talked of yet."""
        asked = self.consents.asked
        if asked is None:
            return False
        answer = " ".join(heard.text for heard in self.heard_in(text) if heard.identity == asked)
        if not answer:
            return not self._greeted
        self._consent_said(asked, answer)
        return True

    def _consent_said(self, asked: str, answer: str) -> None:
        agreed = self.consents.answered(answer)
        if agreed is None:
            self.say(consent.AGAIN)
            return
        self.send(Happened(message=f"Recording was {'agreed to' if agreed else 'not agreed to'} by {asked}."))
        self.expect(self.mind.expected)
        if agreed:
            self.record()
        else:
            self.say(consent.REFUSED)
        self._go_on()

    # --- turns -------------------------------------------------------------------------------------------------------

    async def on_turn(self, agent: Agent, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        if self.stepped_back or self._ending:
            raise StopResponse
        self._quiet.answered()
        self._unfinished.over()
        self._misheard = 0
        if self._consent_answered(new_message.text_content or ""):
            raise StopResponse
        reply = self._replies.last_given
        if reply is not None and reply.was_cut and join_last_turn(turn_ctx.items, new_message):
            await agent.update_chat_ctx(turn_ctx.copy())
            self._replies.forget()
        self.fit_guess(turn_ctx)

    def typed(self, text: str) -> None:
        """Somebody wrote instead of speaking."""
        if self.stepped_back or self._ending:
            return
        self._quiet.answered()
        self._unfinished.over()
        self._misheard = 0
        if self._consent_answered(text):
            return
        self._spawn(self._answer_typed(text))

    async def _answer_typed(self, text: str) -> None:
        await self._say_what_must_be_heard()
        if self.stepped_back or self._ending:
            return
        if (reply := self._replies.last_given) is not None:
            reply.stands = True
        await self.session.interrupt()
        self.session.generate_reply(user_input=text)

    async def _say_what_must_be_heard(self) -> None:
        while (speaking := self.session.current_speech) is not None:
            if speaking.allow_interruptions or speaking.done():
                return
            await speaking

    def person_heard(self) -> None:
        self._quiet.answered()

    def not_understood(self, name: str) -> None:
        """This person spoke, and no word of it is to be believed."""
        if not self._begun or self.stepped_back or self._ending or self._misheard >= _ASKS_AGAIN:
            return
        if self.session.agent_state != "listening" or self.somebody_speaks():
            return
        asked = self.consents.asked
        if asked not in (None, name):
            return
        self.send(Happened(message=f"{name} was not understood"))
        self._quiet.broken(self.now())
        if asked is not None:
            # Neither a yes nor a no.
            self._consent_said(asked, "")
            return
        self.say(self.mind.not_understood(self._misheard))
        self._misheard += 1

    def voice_begins(self) -> None:
        self.ledger.voice_begins()

    def told_off(self, gate: SentenceGate) -> None:
        """Sentences were replaced: whoever wrote the agent wants to know."""
        for breach in gate.breaches:
            self.send(Happened(level="warning", message=f"A sentence was not said ({breach.kind}): {breach.rule}"))

    def judged(self, judged: Judged) -> None:
        self._unfinished.judge(judged)

    # --- saying ------------------------------------------------------------------------------------------------------

    def say(self, text: str, *, interruptible: bool = True) -> SpeechHandle:
        return self.session.say(text, allow_interruptions=interruptible)

    def step_back(self) -> None:
        """Serve nobody, until `come_back`."""
        self.stepped_back = True
        self._unfinished.over()

    def come_back(self) -> None:
        self.stepped_back = False
        # Whoever was on hold had nobody to answer.
        self._quiet.answered()

    async def end_sentence(self, within_s: float) -> None:
        """Wait until what is being said has been said, but no longer."""
        if (speaking := self.session.current_speech) is not None:
            await asyncio.wait([self._spawn(_heard_out(speaking))], timeout=within_s)

    async def fall_silent(self) -> None:
        await self.session.interrupt(force=True)

    def tick(self) -> None:
        """Called several times a second: what time alone brings about."""
        now = self.now()
        if self._began_at is None or self._ending or self.stepped_back:
            return
        if self.manners.longest_s is not None and now - self._began_at >= self.manners.longest_s:
            self.end("max_duration", self.manners.last_words)
        elif self.session.agent_state != "listening" or self.somebody_speaks():
            self._quiet.broken(now)
            self._unfinished.broken()
        elif (told := self._unfinished.due(now)) is not None:
            self.session.generate_reply(instructions=told)
        else:
            self._quiet.begins(now)
            self._mind_the_silence(now)

    def _mind_the_silence(self, now: float) -> None:
        if self._quiet.hang_up_due(now):
            self.end("silence", self.manners.last_words)
        elif self._quiet.prompt_due(now):
            prompt = self.mind.silence(self._quiet.prompts)
            self._quiet.prompts += 1
            self._quiet.broken(now)
            if prompt:
                self.say(prompt)

    # --- ending ------------------------------------------------------------------------------------------------------

    def end(self, reason: str, farewell: str = "") -> None:
        """Say goodbye, ask for the end of the call, and leave. Only once."""
        if not self._ending:
            self._ending = True
            self._spawn(self._end(reason, farewell))

    async def _end(self, reason: str, farewell: str) -> None:
        if farewell:
            await self.fall_silent()
            await self.aside.over()
            await self.say(farewell, interruptible=False)
        self.send(EndWanted(reason=reason))
        await asyncio.sleep(_WAITS_FOR_THE_END_S)
        self.leave(reason)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self.ledger.close_turn()

    # --- what the session tells --------------------------------------------------------------------------------------

    def _on_item(self, event: ConversationItemAddedEvent) -> None:
        item = event.item
        if isinstance(item, llm.ChatMessage) and item.role == "assistant":
            if (reply := self._replies.last_given) is not None:
                reply.heard_s += self.ledger.heard_s
            self.ledger.agent_said(
                self.text.spoken_segment_id, (item.text_content or "").strip(), interrupted=item.interrupted
            )

    def _on_speech(self, event: SpeechCreatedEvent) -> None:
        if event.source == "generate_reply":
            self._replies.begin(event.speech_handle)
            event.speech_handle.add_done_callback(self._on_reply_done)

    def _on_reply_done(self, reply: SpeechHandle) -> None:
        memory = self.mind.memory()
        given = self._replies.last_given
        if given is None or reply is not given.handle:
            return
        if reply.interrupted:
            effects = self.mind.take_effects(interrupted=True)
            # One that came too early is taken back, and whatever it was about is answered anew.
            for step in [] if given.was_cut or self._ending else effects:
                self._effects.bring_about(step)
            return
        if memory is not None:
            self.send(Remembered(memory=memory))
        if (waits_s := self._unfinished.answer_given()) is not None:
            self.send(Happened(message=f"The caller was not done, and is waited for {waits_s:g} s."))
        self.expect(self.mind.expected)
        for step in self.mind.take_effects():
            self._effects.bring_about(step)

    def _on_state(self, event: AgentStateChangedEvent) -> None:
        self.ledger.agent_state(event.new_state)
        self.show_state(event.new_state)

    def _on_error(self, event: ErrorEvent) -> None:
        error = getattr(event.error, "error", event.error)
        log.warning("engine_failed", error=repr(error))
        self.send(Happened(level="warning", message=f"An engine failed: {error}"[:2_000]))

    def _on_close(self, event: CloseEvent) -> None:
        if event.error is not None:
            self.send(Happened(level="error", message="The conversation cannot go on: an engine failed for good."))
            self.send(EndWanted(reason="agent_failed"))
            self.leave("engine_failed")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("conversation_faltered", exc_info=error)


async def _heard_out(speaking: SpeechHandle) -> None:
    await speaking
