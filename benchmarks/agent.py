"""The agent in the room beside livekit-agents' own: readiness, answers, barge-in, processor time, on one room server.

Both speak with espeak-ng and hear with pocketsphinx, each in a process of its own, which is not counted: what is
counted is the process that holds the call, and the room server. Ours decides turns in mode `balanced`, or `sensitive`
where it says so, and records; the stock one decides with Silero. The floor is a participant of LiveKit's SDK that does
nothing. All processes, the callers too, share the machine, so only the ratios travel.
"""

import asyncio
import math
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil
from tests.agent.patience import eventually
from tests.agent.people import administering
from tests.agent.voices import spoken
from tests.roomlet.running import KEY, SECRET, Running, roomlet
from tests.roomlet.waiting import NeverHappened

from benchmarks.agent_floor import Floor, floor
from benchmarks.agent_lines import ASK, INTERRUPT
from benchmarks.agent_sides import Held, Side, ours, stock
from benchmarks.callers import QuietCaller
from benchmarks.processor import processor
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.ids import new_uuid
from rymi_server.rooms.sdk_events import direct_events
from rymi_server.runtime.turn_taking.signals import Mode

GREETINGS, GREETINGS_OF_FOUR, TURNS, TURNS_OF_FOUR, TURNS_TOGETHER = 5, 3, 5, 5, 3
SENSITIVE_CALLS, SENSITIVE_TURNS = 3, 3
# Of four calls, how much later than the one before it each goes its own way.
EACH_LATER_S = 0.55
# Whatever happens, the other agent is measured too.
LONGEST_S = 600.0
ANSWERS_WITHIN_S = 10.0
# Of the budgets, those that can be seen here.
BUDGETS = {
    "own_push_ms": "10",
    "own_ear_ms": "p50 60, p95 90",
    "own_push_of_four_ms": "10",
    "own_ear_of_four_ms": "p50 60, p95 90",
    "barge_in_ms": "200",
    "sensitive_barge_in_ms": "170",
    "decided_to_silence_ms": "50",
    "processor_percent": "1.1 x floor",
    "processor_of_four_percent": "1.1 x floor",
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
    ear_ms: list[float] = field(default_factory=list)
    own_push_of_four_ms: list[float] = field(default_factory=list)
    own_ear_of_four_ms: list[float] = field(default_factory=list)
    ear_of_four_ms: list[float] = field(default_factory=list)
    ear_of_four_together_ms: list[float] = field(default_factory=list)
    barge_in_ms: list[float] = field(default_factory=list)
    sensitive_barge_in_ms: list[float] = field(default_factory=list)
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
    "ear_ms": "the same with what the voice takes, ms",
    "own_push_of_four_ms": "four calls at once: words to first push, ms",
    "own_ear_of_four_ms": "four calls at once: words to first sound, ms",
    "ear_of_four_ms": "the same with what the voice takes, ms",
    "ear_of_four_together_ms": "the same, all four stop speaking at once, ms",
    "barge_in_ms": "barge-in: first sound to silence at the ear, ms",
    "sensitive_barge_in_ms": "the same, mode sensitive, ms",
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

    def ears_ms(self, since: float = 0.0, until: float = math.inf) -> Iterator[tuple[float, float]]:
        """From the last word that was waited for to the first sound of the answer; without the voice's time, and with.

        Nobody knows what the voice of the stock agent takes.
        """
        for ended, heard in self.answers:
            if not since <= ended < until:
                continue
            known = [turn for turn in self.held.turns() if turn.words_at and ended < turn.words_at < heard]
            if known:
                last = max(known, key=lambda turn: turn.words_at or 0.0)
                whole = (heard - (last.words_at or 0.0)) * 1_000
                yield whole - last.voice_ms, whole

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


def _talk(side: Side, rooms: Running, mode: Mode) -> Talk:
    call_id = str(new_uuid())
    caller = QuietCaller("alice", rooms.url, KEY, SECRET, f"call_{call_id}")
    return Talk(caller, side.call(call_id, caller, mode))


async def _measure(side: Side, rooms: Running) -> Measured:
    measured, room, began = Measured(), _room_server(), time.monotonic()
    talks: list[Talk] = []
    for number in range(GREETINGS):
        [talk] = await _begun(side, rooms, 1)
        talks.append(talk)
        if number < GREETINGS - 1:
            # How far the ear is away is an accident of each room.
            await talk.turn(number)
            await talk.end()
    for number in range(TURNS):
        with processor([talk.held.pid], room, measured.agent_percent, measured.processor_percent):
            await talk.turn(number)
    await talk.end()
    measured.greeting_ms = [each.greeting_ms for each in talks]
    measured.in_room_ms = [each.in_room_ms for each in talks]
    measured.answer_ms = [(heard - ended) * 1_000 for each in talks for ended, heard in each.answers]
    measured.own_push_ms = [ms for each in talks for ms in each.pushes_ms()]
    measured.own_ear_ms, measured.ear_ms = _own_and_whole(both for each in talks for both in each.ears_ms())
    measured.barge_in_ms = [ms for each in talks for ms in each.barge_ins_ms()]
    measured.decided_to_silence_ms = [ms for each in talks for ms in each.decided_to_silence_ms()]

    for _ in range(SENSITIVE_CALLS):
        [talk] = await _begun(side, rooms, 1, Mode.SENSITIVE)
        for number in range(SENSITIVE_TURNS):
            await talk.turn(number)
        await talk.end()
        measured.sensitive_barge_in_ms += talk.barge_ins_ms()

    for number in range(GREETINGS_OF_FOUR):
        four = await _begun(side, rooms, 4)
        measured.four_greetings_ms += [each.greeting_ms for each in four]
        if number < GREETINGS_OF_FOUR - 1:
            await asyncio.gather(*(each.end() for each in four))
    with processor(
        [each.held.pid for each in four], room, measured.agent_of_four_percent, measured.processor_of_four_percent
    ):
        await asyncio.gather(*(_turns(each, EACH_LATER_S * number) for number, each in enumerate(four)))
    together_from = time.monotonic()
    for number in range(TURNS_TOGETHER):
        await asyncio.gather(*(each.turn(number) for each in four))
    await asyncio.gather(*(each.end() for each in four))
    measured.own_push_of_four_ms = [ms for each in four for ms in each.pushes_ms(until=together_from)]
    measured.own_ear_of_four_ms, measured.ear_of_four_ms = _own_and_whole(
        both for each in four for both in each.ears_ms(until=together_from)
    )
    _, measured.ear_of_four_together_ms = _own_and_whole(
        both for each in four for both in each.ears_ms(since=together_from)
    )
    measured.unanswered = [each.unanswered for each in (*talks, *four)]
    print(f"{side.name} measured in {time.monotonic() - began:.0f} s", flush=True)
    return measured


async def _turns(talk: Talk, after_s: float) -> None:
    """Four callers do not stop speaking at the same moment: each goes by a clock of its own."""
    await asyncio.sleep(after_s)
    for number in range(TURNS_OF_FOUR):
        await talk.turn(number)


def _own_and_whole(ears: Iterable[tuple[float, float]]) -> tuple[list[float], list[float]]:
    own, whole = [], []
    for without_voice, with_voice in ears:
        own.append(without_voice)
        whole.append(with_voice)
    return own, whole


async def _begun(side: Side, rooms: Running, count: int, mode: Mode = Mode.BALANCED) -> list[Talk]:
    """So many calls at the same moment, each with somebody who waits for it."""
    await side.is_warm(count)
    talks = [_talk(side, rooms, mode) for _ in range(count)]
    await asyncio.gather(*(each.caller.join() for each in talks))
    await asyncio.gather(*(each.begin() for each in talks))
    return talks


def _room_server() -> int:
    here = psutil.Process()
    return next(each.pid for each in here.children() if any("roomlet" in part for part in each.cmdline()))


def _rows(ours: Measured, theirs: Measured, bare: Floor) -> list[dict[str, Any]]:
    least: dict[str, list[float]] = {
        "greeting_ms": bare.greeting_ms,
        "four_greetings_ms": bare.four_greetings_ms,
        "own_ear_ms": bare.ear_ms,
        "own_ear_of_four_ms": bare.ear_of_four_ms,
        "decided_to_silence_ms": bare.silence_ms,
        "agent_percent": bare.alone_percent,
        "processor_percent": bare.percent,
        "processor_of_four_percent": bare.percent,
    }
    return [
        _row(each.name, getattr(ours, each.name), getattr(theirs, each.name), least.get(each.name, []))
        for each in fields(Measured)
    ]


def _row(name: str, ours: list[float], theirs: list[float], least: list[float]) -> dict[str, Any]:
    row: dict[str, Any] = {"what": NAMES[name], "budget": BUDGETS.get(name, "")}
    row |= {key: value for key, value in zip(("ours", "ours_p95"), _spread(ours), strict=True)}
    row |= {key: value for key, value in zip(("stock", "stock_p95"), _spread(theirs), strict=True)}
    row |= {key: value for key, value in zip(("floor", "floor_p95"), _spread(least), strict=True)}
    row |= {"ratio": _ratio(ours, theirs), "of_floor": _ratio(ours, least)}
    return row


def _ratio(ours: list[float], other: list[float]) -> float | None:
    if not ours or not other or not (below := statistics.median(other)):
        return None
    return round(statistics.median(ours) / below, 2)


def _spread(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    ordered = sorted(values)
    return round(statistics.median(values), 1), round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))], 1)


async def _compare() -> list[dict[str, Any]]:
    async with roomlet() as rooms, administering(rooms.url, KEY, SECRET) as administration:
        least = await floor(rooms, _room_server())
        with tempfile.TemporaryDirectory() as folder:
            async with ours(rooms, administration, Path(folder)) as side, asyncio.timeout(LONGEST_S):
                mine = await _measure(side, rooms)
        async with stock(rooms, administration) as side, asyncio.timeout(LONGEST_S):
            theirs = await _measure(side, rooms)
    return _rows(mine, theirs, least)


COLUMNS = ("ours", "ours_p95", "stock", "stock_p95", "ratio", "floor", "floor_p95", "of_floor")


def main() -> list[dict[str, Any]]:
    # Whoever listens with a clock in hand must not be held up either.
    leave_what_is_loaded()
    direct_events()
    rows = asyncio.run(_compare())
    print(f"{'':<54}" + "".join(f"{name:>10}" for name in COLUMNS) + "  budget")
    for row in rows:
        print(f"{row['what']:<54}" + "".join(f"{_shown(row[key]):>10}" for key in COLUMNS) + f"  {row['budget']}")
    return rows


def _shown(value: float | None) -> str:
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
