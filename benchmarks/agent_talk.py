"""A caller who asks the agent, is answered, and interrupts it; and when what was heard at whose ear."""

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.agent.patience import eventually
from tests.agent.voices import spoken
from tests.roomlet.waiting import NeverHappened

from benchmarks.agent_lines import ASK, INTERRUPT
from benchmarks.agent_sides import Held, Turn
from benchmarks.callers import QuietCaller

_ANSWERS_WITHIN_S = 10.0


@dataclass
class Talk:
    """A caller who asks, is answered, and interrupts."""

    caller: QuietCaller
    held: Held
    greeting_ms: float = 0.0
    in_room_ms: float = 0.0
    # When a question ended, and when its answer was heard.
    answers: list[tuple[float, float]] = field(default_factory=list)
    # When an interruption began, and when the agent was silent.
    stops: list[tuple[float, float]] = field(default_factory=list)
    unanswered: int = 0

    async def begin(self) -> None:
        """The caller is there already."""
        sent = time.monotonic()
        await self.held.send()
        self.greeting_ms = (await self.caller.hears_agent(sent) - sent) * 1_000
        came = [at for at, what, who in self.caller.happened if what == "came" and who.startswith("agent")]
        self.in_room_ms = (min(came) - sent) * 1_000
        await self.caller.hears_silence(1.0)

    async def turn(self, number: int) -> None:
        caller = self.caller
        ended = await self._says(ASK)
        await asyncio.sleep(max(0.0, ended - time.monotonic()))
        if (heard := await self._answer(ended)) is None:
            return
        self.answers.append((ended, heard))
        await asyncio.sleep(2.0 + 0.17 * number)
        speaks = bool(caller.heard(time.monotonic() - 0.4))
        ended = await self._says(INTERRUPT)
        began = caller.spoke_at
        await asyncio.sleep(max(0.0, ended - time.monotonic()) + 0.3)
        if speaks:
            self.stops.append((began, caller.silent_from(began - 0.05)))
        await self._answer(ended + 0.3)
        await caller.hears_silence(1.0)

    async def _answer(self, since: float) -> float | None:
        """When it is heard, if it is."""
        try:
            return await self.caller.hears_agent(since, _ANSWERS_WITHIN_S)
        except NeverHappened:
            self.unanswered += 1
            return None

    async def _says(self, text: str) -> float:
        """Return when the last of it will have been said."""
        length = self.caller.say(spoken(text))
        await eventually("the caller speaks", lambda: self.caller.spoke_at)
        return self.caller.spoke_at + length

    async def end(self) -> None:
        await self.held.end()
        await self.caller.leave()

    def answers_ms(self, until: float = math.inf) -> list[float]:
        return [(heard - ended) * 1_000 for ended, heard in self.answers if ended < until]

    def ears_ms(self, since: float = 0.0, until: float = math.inf) -> list[float]:
        """From the last word that was waited for to the first sound of the answer, with what the voice took."""
        return [ms for ms, _ in self._ears_ms(since, until)]

    def own_ears_ms(self, until: float = math.inf) -> list[float]:
        """The same without the voice's time. Nobody knows what the voice of the stock agent takes."""
        return [ms - turn.voice_ms for ms, turn in self._ears_ms(0.0, until)]

    def pushed_to_ears_ms(self, until: float = math.inf) -> list[float]:
        """From the first push of an answer to its first sound."""
        ears = self._ears_ms(0.0, until)
        return [ms - turn.voice_ms - turn.push_ms for ms, turn in ears if turn.push_ms is not None]

    def _ears_ms(self, since: float, until: float) -> Iterator[tuple[float, Turn]]:
        for ended, heard in self.answers:
            if not since <= ended < until:
                continue
            known = [turn for turn in self.held.turns() if turn.words_at and ended < turn.words_at < heard]
            if known:
                last = max(known, key=lambda turn: turn.words_at or 0.0)
                yield (heard - (last.words_at or 0.0)) * 1_000, last

    def barge_ins_ms(self) -> Iterator[float]:
        return ((silent - began) * 1_000 for began, silent in self.stops)

    def decided_to_silence_ms(self) -> Iterator[float]:
        for began, silent in self.stops:
            known = [turn.speaks_at for turn in self.held.turns() if turn.speaks_at and began < turn.speaks_at]
            if known and min(known) < silent + 0.2:
                yield (silent - min(known)) * 1_000

    def pushes_ms(self, until: float = math.inf) -> Iterator[float]:
        turns = [turn for turn in self.held.turns() if (turn.words_at or 0.0) < until]
        return (turn.push_ms for turn in turns if turn.push_ms is not None)
