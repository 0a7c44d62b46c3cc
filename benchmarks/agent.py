"""The agent in the room beside livekit-agents' own: readiness, answers, barge-in, processor time, on one room server.

Both speak with espeak-ng and hear with pocketsphinx, each in a process of its own, which is not counted: what is
counted is the process that holds the call, and the room server. Ours decides turns in mode `balanced` and records; the
stock one decides with Silero. All processes, the callers too, share the machine, so only the ratios travel.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil
from tests.agent.patience import eventually
from tests.agent.people import Caller, administering
from tests.agent.voices import spoken
from tests.roomlet.running import KEY, SECRET, Running, roomlet
from tests.roomlet.waiting import NeverHappened

from benchmarks.agent_lines import ASK, INTERRUPT
from benchmarks.agent_sides import Held, Side, ours, stock
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.ids import new_uuid

TURNS, TURNS_OF_FOUR = 5, 3
# Whatever happens, the other agent is measured too.
LONGEST_S = 240.0
ANSWERS_WITHIN_S = 10.0
# Of the budgets, those that can be seen here.
BUDGETS = {
    "own_push_ms": "10",
    "own_ear_ms": "p50 60, p95 90",
    "own_ear_of_four_ms": "p50 60, p95 90",
    "barge_in_ms": "200",
    "decided_to_silence_ms": "50",
    "processor_percent": "8",
    "processor_of_four_percent": "8",
    "in_room_ms": "150",
    "greeting_ms": "300",
    "four_greetings_ms": "700",
}


@dataclass
class Measured:
    """Milliseconds, and per cents of a core."""

    in_room_ms: list[float] = field(default_factory=list)
    greeting_ms: list[float] = field(default_factory=list)
    four_greetings_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    own_push_ms: list[float] = field(default_factory=list)
    own_ear_ms: list[float] = field(default_factory=list)
    own_ear_of_four_ms: list[float] = field(default_factory=list)
    barge_in_ms: list[float] = field(default_factory=list)
    decided_to_silence_ms: list[float] = field(default_factory=list)
    agent_percent: list[float] = field(default_factory=list)
    processor_percent: list[float] = field(default_factory=list)
    agent_of_four_percent: list[float] = field(default_factory=list)
    processor_of_four_percent: list[float] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)


NAMES = {
    "in_room_ms": "agent in the room after dispatch, ms",
    "greeting_ms": "greeting at the ear after dispatch, ms",
    "four_greetings_ms": "the same, four calls at once, ms",
    "answer_ms": "end of speech to answer at the ear, ms",
    "own_push_ms": "own share of it: words to first push, ms",
    "own_ear_ms": "own share of it: words to first sound at the ear, ms",
    "own_ear_of_four_ms": "the same, four calls at once, ms",
    "barge_in_ms": "barge-in: first sound to silence at the ear, ms",
    "decided_to_silence_ms": "barge-in: decision to silence at the ear, ms",
    "agent_percent": "processor of a call, agent alone, % of a core",
    "processor_percent": "processor of a call, with its room, % of a core",
    "agent_of_four_percent": "of each of four calls, agent alone, % of a core",
    "processor_of_four_percent": "of each of four calls, with its room, % of a core",
    "unanswered": "lines that were not answered within 10 s, of a call",
}


@dataclass
class Talk:
    """A caller who asks, is answered, and interrupts."""

    caller: Caller
    held: Held
    greeting_ms: float = 0.0
    in_room_ms: float = 0.0
    # When a question ended, and when its answer was heard.
    answers: list[tuple[float, float]] = field(default_factory=list)
    # When an interruption began, and when the agent was silent.
    stops: list[tuple[float, float]] = field(default_factory=list)
    unanswered: int = 0

    async def begin(self) -> None:
        await self.caller.join()
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
            return await self.caller.hears_agent(since, ANSWERS_WITHIN_S)
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

    def own_ear_ms(self) -> Iterator[float]:
        """From the last word that was waited for to the first sound of the answer."""
        for ended, heard in self.answers:
            known = [turn.words_at for turn in self.held.turns() if turn.words_at and ended < turn.words_at < heard]
            if known:
                yield (heard - max(known)) * 1_000

    def decided_to_silence_ms(self) -> Iterator[float]:
        for began, silent in self.stops:
            known = [turn.speaks_at for turn in self.held.turns() if turn.speaks_at and began < turn.speaks_at]
            if known and min(known) < silent + 0.2:
                yield (silent - min(known)) * 1_000

    def pushes_ms(self) -> Iterator[float]:
        return (turn.push_ms for turn in self.held.turns() if turn.push_ms is not None)


def _talk(side: Side, rooms: Running) -> Talk:
    call_id = str(new_uuid())
    caller = Caller("alice", rooms.url, KEY, SECRET, f"call_{call_id}")
    return Talk(caller, side.call(call_id, caller))


def _seconds(processes: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes)


@contextmanager
def _processor(agents: list[int], room: int, alone: list[float], together: list[float]) -> Iterator[None]:
    """Per cent of a core for each call, of its agent and of its share of the room server."""
    began, before, before_room = time.monotonic(), _seconds(agents), _seconds([room])
    yield
    elapsed, calls = time.monotonic() - began, len(agents)
    agent = (_seconds(agents) - before) / elapsed / calls * 100
    alone.append(agent)
    together.append(agent + (_seconds([room]) - before_room) / elapsed / calls * 100)


async def _measure(side: Side, rooms: Running) -> Measured:
    measured, room, began = Measured(), _room_server(), time.monotonic()
    await side.is_warm()
    talk = _talk(side, rooms)
    await talk.begin()
    measured.greeting_ms.append(talk.greeting_ms)
    measured.in_room_ms.append(talk.in_room_ms)
    for number in range(TURNS):
        with _processor([talk.held.pid], room, measured.agent_percent, measured.processor_percent):
            await talk.turn(number)
    await talk.end()
    measured.answer_ms = [(heard - ended) * 1_000 for ended, heard in talk.answers]
    measured.own_push_ms = list(talk.pushes_ms())
    measured.own_ear_ms = list(talk.own_ear_ms())
    measured.barge_in_ms = [(silent - began) * 1_000 for began, silent in talk.stops]
    measured.decided_to_silence_ms = list(talk.decided_to_silence_ms())

    await side.is_warm()
    four = [_talk(side, rooms) for _ in range(4)]
    await asyncio.gather(*(each.begin() for each in four))
    measured.four_greetings_ms = [each.greeting_ms for each in four]
    for number in range(TURNS_OF_FOUR):
        pids = [each.held.pid for each in four]
        with _processor(pids, room, measured.agent_of_four_percent, measured.processor_of_four_percent):
            await asyncio.gather(*(each.turn(number) for each in four))
    for each in four:
        await each.end()
    measured.unanswered = [each.unanswered for each in (talk, *four)]
    measured.own_ear_of_four_ms = [ms for each in four for ms in each.own_ear_ms()]
    print(f"{side.name} measured in {time.monotonic() - began:.0f} s", flush=True)
    return measured


def _room_server() -> int:
    here = psutil.Process()
    return next(each.pid for each in here.children() if any("roomlet" in part for part in each.cmdline()))


def _rows(ours: Measured, theirs: Measured) -> list[dict[str, Any]]:
    return [_row(each.name, getattr(ours, each.name), getattr(theirs, each.name)) for each in fields(Measured)]


def _row(name: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    row: dict[str, Any] = {"what": NAMES[name], "budget": BUDGETS.get(name, "")}
    row |= {key: value for key, value in zip(("ours", "ours_p95"), _spread(ours), strict=True)}
    row |= {key: value for key, value in zip(("stock", "stock_p95"), _spread(theirs), strict=True)}
    if ours and theirs:
        other = statistics.median(theirs)
        row["ratio"] = round(statistics.median(ours) / other, 2) if other else None
    return row


def _spread(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    ordered = sorted(values)
    return round(statistics.median(values), 1), round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))], 1)


async def _compare() -> list[dict[str, Any]]:
    async with roomlet() as rooms, administering(rooms.url, KEY, SECRET) as administration:
        with tempfile.TemporaryDirectory() as folder:
            async with ours(rooms, administration, Path(folder)) as side, asyncio.timeout(LONGEST_S):
                mine = await _measure(side, rooms)
        async with stock(rooms, administration) as side, asyncio.timeout(LONGEST_S):
            theirs = await _measure(side, rooms)
    return _rows(mine, theirs)


def main() -> list[dict[str, Any]]:
    # Whoever listens with a clock in hand must not be held up either.
    leave_what_is_loaded()
    rows = asyncio.run(_compare())
    print(f"{'':<54}{'ours':>8}{'p95':>8}{'stock':>9}{'p95':>8}{'ratio':>7}  budget")
    for row in rows:
        shown = [_shown(row.get(key)) for key in ("ours", "ours_p95", "stock", "stock_p95", "ratio")]
        print("{:<54}{:>8}{:>8}{:>9}{:>8}{:>7}  {}".format(row["what"], *shown, row["budget"]))
    return rows


def _shown(value: float | None) -> str:
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
