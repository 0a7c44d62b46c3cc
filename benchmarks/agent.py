"""The agent in the room beside livekit-agents' own: readiness, answers, barge-in, processor time, on one room server.

Both speak with espeak-ng and hear with pocketsphinx, each in a process of its own, which is not counted: what is
counted is the process that holds the call, and the room server. Ours decides turns in mode `balanced`, or `sensitive`
where it says so, and records; the stock one decides with Silero. The floor is a participant of LiveKit's SDK that does
nothing. All processes, the callers too, share the machine, so only the ratios travel.
"""

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import psutil
from tests.agent.people import administering
from tests.roomlet.running import KEY, SECRET, Running, roomlet

from benchmarks.agent_floor import BareRooms, Floor
from benchmarks.agent_sides import Side, ours, stock
from benchmarks.agent_talk import Talk
from benchmarks.callers import QuietCaller
from benchmarks.processor import processor
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.ids import new_uuid
from rymi_server.rooms.sdk_events import direct_events
from rymi_server.runtime.turn_taking.signals import Mode

# Of ours, and fewer of the other, whose numbers are so much larger.
CALLS, FOURS = 8, 3
FEWER_CALLS, FEWER_FOURS = 4, 1
TURNS, TURNS_OF_FOUR = 2, 3
SENSITIVE_CALLS, SENSITIVE_TURNS = 3, 3
# Of four calls, how much later than the one before it each goes its own way.
EACH_LATER_S = 0.55
# Whatever happens, the other agent is measured too.
LONGEST_S = 1_500.0
# Of the budgets, those that can be seen here.
BUDGETS = {
    "own_push_ms": "10",
    "own_ear_ms": "floor + 10",
    "own_push_of_four_ms": "10",
    "own_ear_of_four_ms": "floor + 10",
    "barge_in_ms": "200",
    "sensitive_barge_in_ms": "170",
    "decided_to_silence_ms": "floor + 5",
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
    pushed_to_ear_ms: list[float] = field(default_factory=list)
    own_ear_ms: list[float] = field(default_factory=list)
    ear_ms: list[float] = field(default_factory=list)
    answer_of_four_ms: list[float] = field(default_factory=list)
    own_push_of_four_ms: list[float] = field(default_factory=list)
    pushed_to_ear_of_four_ms: list[float] = field(default_factory=list)
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
    "pushed_to_ear_ms": "own share of it: first push to first sound at the ear, ms",
    "own_ear_ms": "own share of it: words to first sound at the ear, ms",
    "ear_ms": "the same with what the voice takes, ms",
    "answer_of_four_ms": "four calls at once: end of speech to answer at the ear, ms",
    "own_push_of_four_ms": "four calls at once: words to first push, ms",
    "pushed_to_ear_of_four_ms": "four calls at once: first push to first sound, ms",
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


def _talk(side: Side, rooms: Running, mode: Mode) -> Talk:
    call_id = str(new_uuid())
    caller = QuietCaller("alice", rooms.url, KEY, SECRET, f"call_{call_id}")
    return Talk(caller, side.call(call_id, caller, mode))


async def _measure(side: Side, rooms: Running, calls: int, fours: int, bare: BareRooms | None = None) -> Measured:
    """How far the ear is away is an accident of each room, so there are many. What is bare takes turns with them: a
    machine is another one from minute to minute."""
    measured, began = Measured(), time.monotonic()
    for _ in range(calls):
        await _one(side, rooms, measured)
        if bare is not None:
            await bare.one(TURNS)
    for _ in range(SENSITIVE_CALLS if side.has_modes else 0):
        await _sensitive(side, rooms, measured)
    for _ in range(fours):
        await _four(side, rooms, measured)
        if bare is not None:
            await bare.four(TURNS_OF_FOUR, EACH_LATER_S)
    print(f"{side.name} measured in {time.monotonic() - began:.0f} s", flush=True)
    return measured


async def _one(side: Side, rooms: Running, measured: Measured) -> None:
    [talk] = await _begun(side, rooms, 1)
    for number in range(TURNS):
        with processor([talk.held.pid], _room_server(), measured.agent_percent, measured.processor_percent):
            await talk.turn(number)
    await talk.end()
    measured.greeting_ms.append(talk.greeting_ms)
    measured.in_room_ms.append(talk.in_room_ms)
    measured.answer_ms += talk.answers_ms()
    measured.own_push_ms += talk.pushes_ms()
    measured.pushed_to_ear_ms += talk.pushed_to_ears_ms()
    measured.own_ear_ms += talk.own_ears_ms()
    measured.ear_ms += talk.ears_ms()
    measured.barge_in_ms += talk.barge_ins_ms()
    measured.decided_to_silence_ms += talk.decided_to_silence_ms()
    measured.unanswered.append(talk.unanswered)


async def _sensitive(side: Side, rooms: Running, measured: Measured) -> None:
    [talk] = await _begun(side, rooms, 1, Mode.SENSITIVE)
    for number in range(SENSITIVE_TURNS):
        await talk.turn(number)
    await talk.end()
    measured.sensitive_barge_in_ms += talk.barge_ins_ms()


async def _four(side: Side, rooms: Running, measured: Measured) -> None:
    four = await _begun(side, rooms, 4)
    pids = [each.held.pid for each in four]
    with processor(pids, _room_server(), measured.agent_of_four_percent, measured.processor_of_four_percent):
        await asyncio.gather(*(_turns(each, EACH_LATER_S * number) for number, each in enumerate(four)))
    together_from = time.monotonic()
    await asyncio.gather(*(each.turn(0) for each in four))
    await asyncio.gather(*(each.end() for each in four))
    for each in four:
        measured.four_greetings_ms.append(each.greeting_ms)
        measured.answer_of_four_ms += each.answers_ms(until=together_from)
        measured.own_push_of_four_ms += each.pushes_ms(until=together_from)
        measured.pushed_to_ear_of_four_ms += each.pushed_to_ears_ms(until=together_from)
        measured.own_ear_of_four_ms += each.own_ears_ms(until=together_from)
        measured.ear_of_four_ms += each.ears_ms(until=together_from)
        measured.ear_of_four_together_ms += each.ears_ms(since=together_from)
        measured.unanswered.append(each.unanswered)


async def _turns(talk: Talk, after_s: float) -> None:
    """Four callers do not stop speaking at the same moment: each goes by a clock of its own."""
    await asyncio.sleep(after_s)
    for number in range(TURNS_OF_FOUR):
        await talk.turn(number)


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
        "pushed_to_ear_ms": bare.ear_ms,
        "own_ear_ms": bare.ear_ms,
        "pushed_to_ear_of_four_ms": bare.ear_of_four_ms,
        "own_ear_of_four_ms": bare.ear_of_four_ms,
        "decided_to_silence_ms": bare.silence_ms,
        "agent_percent": bare.alone_percent,
        "processor_percent": bare.percent,
        "processor_of_four_percent": bare.percent_of_four,
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
        bare = BareRooms(rooms, _room_server())
        with tempfile.TemporaryDirectory() as folder:
            async with ours(rooms, administration, Path(folder)) as side, asyncio.timeout(LONGEST_S):
                mine = await _measure(side, rooms, CALLS, FOURS, bare)
        async with stock(rooms, administration) as side, asyncio.timeout(LONGEST_S):
            theirs = await _measure(side, rooms, FEWER_CALLS, FEWER_FOURS)
    return _rows(mine, theirs, bare.found)


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
