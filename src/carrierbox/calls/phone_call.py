"""The life of one call: it rings, is answered or not, follows the application's document, and ends once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from zlib import crc32

from carrierbox.callees.party import Party, rehearse
from carrierbox.callees.script import Being, Move, Pickup, Script
from carrierbox.calls.call import Call, Verdict
from carrierbox.calls.carrier import Carrier, Moment, Source
from carrierbox.calls.conversation import Conversation
from carrierbox.calls.document import DocumentRun
from carrierbox.calls.lifecycle import Direction, EndedBy, Ending, State, WrongState, follows
from carrierbox.calls.media_session import MediaSession
from carrierbox.calls.steps import Dial
from carrierbox.calls.tools import Tools
from carrierbox.clock import sleep
from carrierbox.line.tones import keys

log = logging.getLogger(__name__)

SETUP_S = 0.15
HUMAN_VERDICT_MS = 2000
MACHINE_VERDICT_MS = 3500
SILENCE_VERDICT_MS = 5000
BEEP_MS = 600

_MOMENTS = {
    State.INITIATED: Moment.INITIATED,
    State.RINGING: Moment.RINGING,
    State.IN_PROGRESS: Moment.ANSWERED,
    State.ENDED: Moment.ENDED,
}


class PhoneCall:
    """Owns everything that runs for one call. `over` is called once, when nothing of it runs any more."""

    def __init__(
        self,
        call: Call,
        carrier: Carrier,
        script: Script,
        tools: Tools,
        dial: Callable[["PhoneCall", Dial, Callable[["PhoneCall"], Awaitable[None]]], "PhoneCall"],
        over: Callable[["PhoneCall"], None],
        when_answered: Callable[["PhoneCall"], Awaitable[None]] | None = None,
    ) -> None:
        self.call = call
        self.carrier = carrier
        self.tools = tools
        self._dial = dial
        self.script = script
        self.sessions: list[MediaSession] = []
        self.gone = asyncio.Event()
        self._over = over
        self._when_answered = when_answered
        self._tasks: set[asyncio.Task[None]] = set()
        self._document: asyncio.Task[None] | None = None
        self._run: DocumentRun | None = None
        self._conversation: Conversation | None = None
        self._redirects = 0
        self._farewell: asyncio.Task[None] | None = None
        call.script_name = script.name

    @property
    def conversation(self) -> Conversation:
        if self._conversation is None:
            raise WrongState("The call has not been answered.")
        return self._conversation

    def start(self) -> None:
        self.note("asked for", direction=str(self.call.direction), script=self.script.name)
        life = self._ring_in() if self.call.direction is Direction.INBOUND else self._ring_out()
        self.run(life)

    def run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run this for as long as the call lasts."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call broke", exc_info=error, extra={"call_id": self.call.id})
            self.end(Ending.COMPLETED, EndedBy.CARRIER)

    def dial(self, step: Dial, when_answered: Callable[["PhoneCall"], Awaitable[None]]) -> "PhoneCall":
        """Ring another phone, on behalf of this call."""
        return self._dial(self, step, when_answered)

    def note(self, event: str, **detail: object) -> None:
        self.call.note(self.tools.clock.now(), self.tools.clock.seconds(), event, **detail)

    def become(self, state: State) -> None:
        self.call.state = state
        self.note(str(state))
        log.info("call moved on", extra={"call_id": self.call.id, "carrier": self.call.carrier, "state": str(state)})
        self.tools.courier.send(self.call, self.carrier.announce(self.call, _MOMENTS[state]))

    def end(self, ending: Ending, by: EndedBy) -> None:
        """End the call, whatever it is doing. Ending it twice changes nothing."""
        if not follows(self.call.state, State.ENDED):
            return
        self.call.ending, self.call.ended_by = ending, by
        self.call.ended_at = self.tools.clock.now()
        self.note("ends", reason=str(ending), by=str(by))
        if self._run is not None:
            self._run.leave()
        self.become(State.ENDED)
        self._farewell = asyncio.create_task(self._wind_up())

    def hang_up(self, by: EndedBy) -> None:
        answered = self.call.state is State.IN_PROGRESS
        inbound = self.call.direction is Direction.INBOUND
        unanswered = Ending.NO_ANSWER if inbound and by is EndedBy.PARTY else Ending.CANCELED
        self.end(Ending.COMPLETED if answered else unanswered, by)

    async def redirect(self, source: Source) -> None:
        """Leave the present document, and the media socket with it, for another. The latest redirection wins."""
        conversation = self.conversation
        self._redirects += 1
        mine = self._redirects
        self.note("redirected")
        old, self._document = self._document, None
        if self._run is not None:
            self._run.leave()
        await asyncio.gather(*(session.finish() for session in tuple(self.sessions)))
        if old is not None:
            old.cancel()
            await asyncio.gather(old, return_exceptions=True)
        conversation.playout.clear()
        if mine == self._redirects and not self.call.is_over:
            self._document = self.run(self._follow(source))

    def press_to_phone(self, digits: str) -> None:
        """Let the phone hear these keys."""
        self.conversation.playout.press(keys(digits))

    async def interject(self, *moves: Move) -> None:
        """Make the simulated person do this next."""
        party = self.conversation.party
        party.interject(await rehearse(moves, self.tools.voices))

    async def _ring_out(self) -> None:
        await sleep(self.tools.clock, self.call.queue_ms / 1000)
        self.call.started_at = self.tools.clock.now()
        self.become(State.INITIATED)
        moves = await rehearse(self.script.moves, self.tools.voices)
        await sleep(self.tools.clock, SETUP_S)
        missed = await self._ring()
        if missed is not None:
            self.end(missed, EndedBy.CARRIER if missed is Ending.UNREACHABLE else EndedBy.PARTY)
            return
        conversation = self._answered(moves)
        if self._when_answered is not None:
            await self._when_answered(self)
        elif await self._detect_machine(conversation) and not self._redirects:
            conversation.playout.press(keys(self.call.send_digits))
            self._document = self.run(self._follow(self.carrier.answer(self.call)))

    async def _ring(self) -> Ending | None:
        """Let the phone ring as its owner wants. `None` if they pick up, else why nobody did."""
        clock, pickup, rings_s = self.tools.clock, self.script.pickup, self.script.ring_ms / 1000
        if pickup is Pickup.UNREACHABLE:
            return Ending.UNREACHABLE
        if pickup is Pickup.BUSY:
            return Ending.BUSY
        self.become(State.RINGING)
        if pickup is Pickup.NO_ANSWER or rings_s >= self.call.ring_timeout_s:
            await sleep(clock, self.call.ring_timeout_s)
            return Ending.NO_ANSWER
        await sleep(clock, rings_s)
        return Ending.REJECTED if pickup is Pickup.REJECTS else None

    async def _ring_in(self) -> None:
        self.call.started_at = self.tools.clock.now()
        moves = await rehearse(self.script.moves, self.tools.voices)
        self.become(State.RINGING)
        patience = self.run(self._give_up())
        run = self._run = DocumentRun(self)
        steps = await run.fetch(self.carrier.answer(self.call))
        if steps is None:
            return
        if (busy := run.rejects(steps)) is not None:
            self.end(Ending.BUSY if busy else Ending.REJECTED, EndedBy.API)
            return
        patience.cancel()
        self._answered(moves)
        self._document = self.run(run.follow(steps))

    async def _give_up(self) -> None:
        await sleep(self.tools.clock, self.call.ring_timeout_s)
        self.hang_up(EndedBy.PARTY)

    async def _follow(self, source: Source) -> None:
        run = self._run = DocumentRun(self)
        steps = await run.fetch(source)
        if steps is not None:
            await run.follow(steps)

    def _answered(self, moves: tuple[Move, ...]) -> Conversation:
        self.call.answered_at = self.tools.clock.now()
        self._conversation = Conversation(
            self.call,
            Party(self.script, moves),
            self.tools.clock,
            self.carrier.buffer_ms,
            crc32(self.call.id.encode()),
            lambda: self.hang_up(EndedBy.PARTY),
        )
        for recording in (self.call.heard, self.call.spoken):
            recording.start(self.tools.recording_seconds)
        self.become(State.IN_PROGRESS)
        self.run(self._conversation.run())
        self.run(self._limit())
        return self._conversation

    async def _limit(self) -> None:
        await sleep(self.tools.clock, self.call.time_limit_s)
        self.end(Ending.TIME_LIMIT, EndedBy.CARRIER)

    async def _detect_machine(self, conversation: Conversation) -> bool:
        """Start detection; with `hold`, wait for it. False if it ended the call."""
        detection = self.call.detection
        if detection is None:
            return True
        task = self.run(self._detect(conversation))
        if detection.hold:
            await asyncio.wait((task,))
        return not self.call.is_over

    async def _detect(self, conversation: Conversation) -> None:
        detection, clock = self.call.detection, self.tools.clock
        assert detection is not None
        being = self.script.being
        wait_ms = {Being.HUMAN: HUMAN_VERDICT_MS, Being.MACHINE: MACHINE_VERDICT_MS, Being.UNKNOWN: SILENCE_VERDICT_MS}
        began, beep = clock.seconds(), False
        if being is Being.MACHINE and detection.await_beep:
            timeout = self.run(sleep(clock, detection.timeout_ms / 1000))
            beeped = self.run(_until(conversation.beeped))
            await asyncio.wait((timeout, beeped), return_when=asyncio.FIRST_COMPLETED)
            beep = conversation.beeped.is_set()
            beeped.cancel()
            timeout.cancel()
            await sleep(clock, BEEP_MS / 1000 if beep else 0)
        else:
            await sleep(clock, min(wait_ms[being], detection.timeout_ms) / 1000)
        self.call.verdict = Verdict(being, beep, round((clock.seconds() - began) * 1000))
        self.note("machine detection", verdict=str(being), beep=beep)
        self.tools.courier.send(self.call, self.carrier.announce_verdict(self.call))
        if detection.hang_up and being is Being.MACHINE:
            self.end(Ending.MACHINE, EndedBy.CARRIER)

    async def _wind_up(self) -> None:
        await asyncio.gather(*(session.finish() for session in tuple(self.sessions)))
        tasks = [task for task in self._tasks if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.gone.set()
        self._over(self)


async def _until(event: asyncio.Event) -> None:
    await event.wait()
