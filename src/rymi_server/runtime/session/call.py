"""A whole call, from the first person to the last, wherever it is held: in a LiveKit room or in a test with sound."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import structlog
from livekit.agents import llm
from livekit.agents.voice import TranscriptSynchronizer

from rymi_server.foundation.spoken.labels import labelled
from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.call_clock import CallClock
from rymi_server.runtime.hearing.happenings import (
    FloorClosed,
    GuessHeard,
    Happening,
    NotUnderstood,
    SpeakingChanged,
    WordsHeard,
)
from rymi_server.runtime.hearing.hub import Hub
from rymi_server.runtime.hearing.line_clock import LineClock
from rymi_server.runtime.hearing.tap import Tap
from rymi_server.runtime.recording.tape import Tape
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import AllSaid, ClockStarted, Happened, KeysPressed
from rymi_server.runtime.session.aside import Aside
from rymi_server.runtime.session.cast import Cast, Times
from rymi_server.runtime.session.consent import Consents, decided_before
from rymi_server.runtime.session.conversation import Conversation
from rymi_server.runtime.session.guessing_over import GuessingOver
from rymi_server.runtime.session.guest_book import GuestBook
from rymi_server.runtime.session.holding_back import HoldingBack
from rymi_server.runtime.session.keypad import Keypad
from rymi_server.runtime.session.ledger import Ledger
from rymi_server.runtime.session.media import CallMedia, Guest
from rymi_server.runtime.session.minds import heard_in
from rymi_server.runtime.session.obeying import Obeying
from rymi_server.runtime.session.options import new_session
from rymi_server.runtime.session.replaying import Replay, TickInput
from rymi_server.runtime.session.room_agent import RoomAgent
from rymi_server.runtime.session.room_text import AgentText, PeoplesText
from rymi_server.runtime.session.spoken_voice import SpokenVoice
from rymi_server.runtime.session.text_pace import synchronized
from rymi_server.runtime.session.voice_output import CutSignal, SessionEar, Told, VoiceOutput
from rymi_server.runtime.speaking.player import Player
from rymi_server.speech_engines.promises import Expected

log = structlog.get_logger(__name__)

# Why it ended for an agent that had to go while people were there.
CUT_SHORT: Final = "cut_short"

# Two ticks at a time: half the wake-ups, and still well within what anybody notices.
_WAKES_EVERY_S: Final = 0.04
_MOST_TICKS_AT_ONCE: Final = 250
# Whoever is in the room for so long gets the agent's sound, whether we were told or not.
_LISTENS_AFTER_S: Final = 1.0


async def run_call(
    media: CallMedia, briefing: Briefing, reporter: Reporter, cast: Cast, times: Times, tape: Tape | None
) -> str:
    """Hold the call until it is over; return why it ended for the agent. `tape` is None for a call without recording.

    The reporter is started and closed by the caller; the tape is finished here, and what it holds is reported.
    """
    call = Call(media, briefing, reporter, cast, times, tape)
    try:
        await call.open()
        return await call.over
    finally:
        await call.aclose()


@dataclass(slots=True)
class Call:
    """Keeps the promise of `Guests`."""

    media: CallMedia
    briefing: Briefing
    reporter: Reporter
    cast: Cast
    times: Times
    tape: Tape | None
    over: "asyncio.Future[str]" = field(init=False)
    clock: CallClock = field(init=False)
    hub: Hub = field(init=False)
    player: Player = field(init=False)
    conversation: Conversation = field(init=False)
    _obeying: Obeying = field(init=False)
    _replay: Replay = field(init=False)
    _holding_back: HoldingBack = field(init=False)
    _guessing_over: GuessingOver = field(init=False)
    _input: TickInput = field(default_factory=TickInput)
    _lines: dict[str, LineClock] = field(default_factory=dict)
    _book: GuestBook = field(init=False)
    _taps: dict[str, Tap] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _expected: Expected | None = None
    _keypad: Keypad = field(init=False)
    _is_heard: bool = False
    _spoke_last: str = ""
    _ticks: int = 0
    _zero: float = 0.0
    _synchronizer: TranscriptSynchronizer | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.over = asyncio.get_running_loop().create_future()
        self._book = GuestBook(self.briefing.people)
        self.clock = CallClock(self.times.now, self.times.wall)
        if self.briefing.clock_started_at is not None:
            self.clock.resume(self.briefing.clock_started_at)
        self._replay = Replay(self.cast.vocabulary.language)
        self._keypad = Keypad(self._keys_entered)
        self._wire()
        self.cast.mind.listen_to(lambda: self._spoke_last, self._names)

    def _wire(self) -> None:
        text = PeoplesText(self.media.show, self.times.now)
        ledger = Ledger(
            self.reporter.send, self.clock.ms, self.clock.ms_at, self._book.who, text, self.cast.manners.shows_text
        )
        output = VoiceOutput()
        told = Told(SessionEar(output), ledger, *([self.tape] if self.tape else []), CutSignal(self.media))
        self.player = output.player = Player(self.media.line, told, self.times.now)
        self.hub = Hub(self._hear, self.times.now, self.clock.ms, lambda: self.player.left_ms, self._book.name)
        self.hub.interruption, self.hub.sure_from = self.cast.interruption, self.cast.sure_from
        agent_text = AgentText(self._show, ledger.agent_drafted, self.clock.ms)
        self._synchronizer = synchronized(output, agent_text)
        session = new_session(
            self._replay,
            self.cast.mind.chat_model,
            SpokenVoice(self.cast.voice, ledger.voice_sounded, self.times.now),
            self._input,
            self._synchronizer.audio_output,
            self._synchronizer.text_output,
            self.cast.interruption,
        )
        self._holding_back = HoldingBack(self._replay.play, lambda: session.current_speech)
        self._guessing_over = GuessingOver(
            session, self._synchronizer, lambda: self.player.paused, self.cast.mind.take_back
        )
        self.conversation = Conversation(
            session=session,
            mind=self.cast.mind,
            manners=self.cast.manners,
            ledger=ledger,
            text=agent_text,
            show_state=self.media.be,
            send=self.reporter.send,
            participant_of=self._book.participant_named,
            expect=self._expect,
            record=self._record,
            leave=self._leave,
            now=self.times.now,
            somebody_speaks=lambda: self.hub.somebody_speaks,
            press=self.media.press,
            aside=Aside(self.media.speak_to, self._book.present_as),
            consents=Consents(
                needed=self.tape is not None and self.cast.manners.asks_consent,
                given=dict(decided_before(self.briefing.said)),
            ),
            heard_in=lambda text: heard_in(text, self._names(), self._spoke_last),
            fit_guess=self._guessing_over.fit,
        )
        self._obeying = Obeying(self.conversation, self.conversation.aside, self.reporter.send, self._obeyed)
        self.reporter.on_order = self._obeying.obey
        self.reporter.on_over = lambda: self._leave("call_over")

    # --- beginning and end -------------------------------------------------------------------------------------------

    async def open(self) -> None:
        self.player.start().add_done_callback(self._done)
        self._zero = self.times.now()
        agent = RoomAgent(self.cast.instructions, _said_before(self.briefing), list(self.cast.tools), self.conversation)
        await asyncio.gather(
            self.media.open(self), self.conversation.session.start(agent=agent, record=False, capture_run=False)
        )
        self._spawn(self._keep_time())
        self._begin_if_ready()

    async def aclose(self) -> None:
        """Last words are recognised and reported, then the recording is handed in."""
        await asyncio.gather(*[self._close_tap(identity) for identity in list(self._taps)])
        await self._obeying.aclose()
        await self.conversation.aclose()
        for task in self._tasks:
            task.cancel()
        await self.conversation.session.aclose()
        if self._synchronizer is not None:
            await self._synchronizer.aclose()
        await self.player.aclose()
        self._input.close()
        await self.media.close()
        # Whoever follows the call hears of its end once this is told, and need not wait for a storage.
        self.reporter.send(AllSaid())
        if self.tape is not None and (recorded := await self.tape.finish()) is not None:
            self.reporter.send(recorded)

    def _leave(self, reason: str) -> None:
        if not self.over.done():
            self.over.set_result(reason)

    def _begin_if_ready(self) -> None:
        """Greet once somebody is there and gets our sound."""
        if self._book.first_came_at is None or not self._is_heard or not self._ticks:
            return
        last = self.briefing.said[-1] if self.briefing.said else None
        unanswered = last.text if last is not None and last.speaker == "user" else None
        self.conversation.begin(returning=last is not None, unanswered=unanswered)

    # --- guests ------------------------------------------------------------------------------------------------------

    def came(self, guest: Guest) -> None:
        if self._book.came(guest, self.times.now()) and not self.clock.running:
            self.reporter.send(ClockStarted(started_at=self.clock.start()))
        self.conversation.aside.came()
        if not self._book.is_observer(guest.identity):
            self.conversation.came(self._book.name(guest.identity))
        if self.conversation.consents.may_record(self._book.name(guest.identity)):
            self._record()
        self._begin_if_ready()

    def left(self, identity: str) -> None:
        self._book.left(identity, self.times.now())
        self.conversation.left_aside(identity)
        self.conversation.left(self._book.name(identity), alone=self._book.alone_since is not None)
        self.microphone(identity, False)

    def listening(self) -> None:
        self._is_heard = True
        self._begin_if_ready()

    def microphone(self, identity: str, on: bool) -> None:
        if on and not self._book.is_observer(identity):
            self._spawn(self._open_tap(identity))
        elif not on:
            self._lines.pop(identity, None)
            self._spawn(self._close_tap(identity))

    def heard(self, identity: str, pcm: bytes) -> None:
        if self._book.is_observer(identity):
            return
        samples = np.frombuffer(pcm, np.int16)
        ended = self._lines.setdefault(identity, LineClock()).moment(self.times.now(), len(samples))
        if self.tape is not None and self.conversation.consents.may_record(self._book.name(identity)):
            self.tape.person(self._book.who(identity)[0] or identity, ended, samples)
        if (tap := self._taps.get(identity)) is not None:
            tap.push(pcm, self.clock.ms_at(ended))

    def typed(self, identity: str, text: str) -> None:
        text = text.strip()[:4_000]
        if not text or not self._book.is_present(identity) or self._book.is_observer(identity):
            return
        self.conversation.ledger.typed(identity, text)
        self._answer_text(identity, text)

    def pressed(self, identity: str, digit: str) -> None:
        if self._book.is_present(identity):
            self._keypad.press(identity, digit)

    def closed(self, reason: str) -> None:
        self._leave(reason)

    def _keys_entered(self, identity: str, digits: str) -> None:
        if (participant_id := self._book.who(identity)[0]) is not None:
            self.reporter.send(KeysPressed(participant_id=participant_id, digits=digits))
        if self._expected is not None and self._expected.kind in ("digits", "phone", "choice"):
            self._answer_text(identity, digits)

    def _answer_text(self, identity: str, text: str) -> None:
        self._spoke_last = self._book.name(identity)
        self.hub.knows(identity)
        names = self._names()
        self.conversation.typed(labelled(self._spoke_last, text, names) if len(names) > 1 else text)

    def _names(self) -> list[str]:
        return [self._book.name(each) for each in self.hub.known]

    async def _open_tap(self, identity: str) -> None:
        async with self._locks.setdefault(identity, asyncio.Lock()):
            if identity in self._taps:
                return
            tap = Tap(
                identity,
                self.hub,
                self.cast.new_detector(),
                self.cast.ear,
                self.cast.vocabulary,
                lambda text: self.reporter.send(Happened(level="warning", message=text[:2_000])),
                self.times.now,
                self.cast.new_cleaner(),
            )
            await tap.open()
            tap.expect(self._expected)
            self._taps[identity] = tap

    async def _close_tap(self, identity: str) -> None:
        async with self._locks.setdefault(identity, asyncio.Lock()):
            if (tap := self._taps.pop(identity, None)) is not None:
                await tap.aclose()

    # --- what the hub tells ------------------------------------------------------------------------------------------

    def _hear(self, happening: Happening) -> None:
        if isinstance(happening, SpeakingChanged):
            self.conversation.person_heard()
        self.conversation.ledger.hear(happening)
        if isinstance(happening, NotUnderstood):
            self.conversation.not_understood(self._book.name(happening.identity))
            return
        if isinstance(happening, WordsHeard):
            self._spoke_last = self._book.name(happening.utterance.identity)
        # Of a turn that began before the agent stepped back the session must know the end: until then it says nothing.
        served = not self.conversation.stepped_back or isinstance(happening, FloorClosed)
        guessed = isinstance(happening, GuessHeard) and not self.cast.guesses
        if served and not guessed:
            self._holding_back.tell(happening)
            self._guessing_over.tell(happening)

    def _expect(self, expected: Expected | None) -> None:
        self._expected = self.hub.expected = expected
        for tap in self._taps.values():
            tap.expect(expected)

    def _record(self) -> None:
        if self.tape is None:
            return
        try:
            self.tape.start(self.times.now(), self.clock.ms())
        except OSError as error:
            log.error("recording_not_begun", error=str(error))
            message = "The call is not recorded: the agent's disk does not take it."
            self.reporter.send(Happened(level="error", message=message))

    def _obeyed(self, number: int) -> None:
        self.reporter.obeyed = max(self.reporter.obeyed, number)

    def _show(self, text: Any) -> None:
        if self.cast.manners.shows_text:
            self.media.show(text)

    # --- time --------------------------------------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            for _ in range(min(self._due(), _MOST_TICKS_AT_ONCE)):
                self._tick()
            self.hub.tick()
            if self.tape is not None:
                self.tape.tick(self.times.now())
            self._mind_the_room()
            self.conversation.tick()
            ahead = self._zero + (self._ticks + 2) * 0.02 - self.times.now()
            await asyncio.sleep(max(0.005, min(_WAKES_EVERY_S, ahead)))

    def _due(self) -> int:
        return int((self.times.now() - self._zero) / 0.02) - self._ticks

    def _tick(self) -> None:
        self._ticks += 1
        self._input.tick()
        for tap in self._taps.values():
            tap.tick()

    def _mind_the_room(self) -> None:
        if self.times.is_closing():
            self._leave(CUT_SHORT)
        now = self.times.now()
        if self._book.first_came_at is None:
            if now - self._zero >= self.times.nobody_s:
                self._leave("nobody_came")
            return
        if not self._is_heard and now - self._book.first_came_at >= _LISTENS_AFTER_S:
            self.listening()
        self._begin_if_ready()
        if self._book.alone_since is not None and now - self._book.alone_since >= self.times.linger_s:
            self._leave("everyone_left")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self.over.done():
            # A fault in here must end the call loudly, not leave a room with a deaf agent.
            self.over.set_exception(error)


def _said_before(briefing: Briefing) -> llm.ChatContext:
    """What a predecessor heard and said, for a model that goes on from there."""
    context = llm.ChatContext.empty()
    names = list(dict.fromkeys(line.identity or "" for line in briefing.said if line.speaker == "user"))
    lines = list(briefing.said)
    if lines and lines[-1].speaker == "user":
        lines.pop()  # It is answered as the first thing, and comes in with that.
    for line in lines:
        if line.speaker == "agent":
            context.add_message(role="assistant", content=line.text)
        else:
            content = labelled(line.identity or "", line.text, names) if len(names) > 1 else line.text
            context.add_message(role="user", content=content)
    return context
