"""The agent in the room beside livekit-agents' own: greeting, answers, barge-in, processor time, on one room server.

Both speak with espeak-ng. Ours hears with pocketsphinx and decides turns in mode `balanced`; the stock one decides with
Silero and is spared recognition. All processes, the callers too, share the machine, so only the ratios travel.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from livekit import api as livekit_api
from tests.agent.api import TOKEN, InternalApi
from tests.agent.holding import PLAYBOOK, briefing
from tests.agent.patience import eventually
from tests.agent.people import Caller, administering, send_agent
from tests.agent.voices import spoken
from tests.agent.workers import agent_worker
from tests.roomlet.running import KEY, SECRET, Running, roomlet

from benchmarks.agent_lines import STORY
from rymi_server.foundation.ids import new_uuid
from rymi_server.runtime.reports import TurnTaken

TURNS = 5
_WARMS_UP_S = 10.0
ASK, STOP = "tell me a story", "please stop that now"
AGENT = {
    "playbook": {**PLAYBOOK, "objectionHandlers": [{"trigger": ASK, "response": STORY}]},
    "advanced": {"turnDetectorMode": "balanced"},
}


@dataclass
class Measured:
    """Milliseconds."""

    greeting_ms: list[float] = field(default_factory=list)
    four_greetings_ms: list[float] = field(default_factory=list)
    answer_ms: list[float] = field(default_factory=list)
    barge_in_ms: list[float] = field(default_factory=list)
    own_push_ms: list[float] = field(default_factory=list)
    processor_percent: list[float] = field(default_factory=list)


@dataclass
class Side:
    """One of the two agents. `send` brings it into a room; `process` is its worker."""

    name: str
    rooms: Running
    administration: livekit_api.LiveKitAPI
    process: psutil.Process
    api: InternalApi | None = None

    async def send(self, room: str, call_id: str) -> None:
        if self.api is None:
            request = livekit_api.CreateAgentDispatchRequest(agent_name="stock", room=room)
            await self.administration.agent_dispatch.create_dispatch(request)
            return
        self.api.briefings[call_id] = briefing(call_id=call_id, room_name=room, agent=AGENT)
        await send_agent(self.administration, room, call_id, "1", self.api.url, TOKEN)

    def processor_seconds(self) -> float:
        total = 0.0
        for each in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(each.cpu_times()[:2])
        return total


async def _greeted(side: Side) -> tuple[Caller, str, float]:
    call_id = str(new_uuid())
    room = f"call_{call_id}"
    caller = Caller("alice", side.rooms.url, KEY, SECRET, room)
    await caller.join()
    sent = time.monotonic()
    await side.send(room, call_id)
    return caller, call_id, (await caller.hears_agent(sent) - sent) * 1_000


async def _measure(side: Side) -> Measured:
    measured = Measured()
    caller, call_id, greeted = await _greeted(side)
    measured.greeting_ms.append(greeted)
    await caller.hears_silence(1.0)
    for number in range(TURNS):
        before, began = side.processor_seconds(), time.monotonic()
        length = caller.say(spoken(ASK))
        await eventually("the caller speaks", lambda: caller.spoke_at)
        ended = caller.spoke_at + length
        await asyncio.sleep(max(0.0, ended - time.monotonic()))
        measured.answer_ms.append((await caller.hears_agent(ended) - ended) * 1_000)
        await asyncio.sleep(1.5 + 0.37 * number)
        measured.processor_percent.append((side.processor_seconds() - before) / (time.monotonic() - began) * 100)
        length = caller.say(spoken(STOP))
        await eventually("the caller speaks", lambda: caller.spoke_at)
        await asyncio.sleep(1.5)
        measured.barge_in_ms.append((caller.silent_from(caller.spoke_at - 0.05) - caller.spoke_at) * 1_000)
        await asyncio.sleep(length)
        await caller.hears_silence(1.5, 90)
    if side.api is not None:
        side.api.over.add(call_id)
        measured.own_push_ms = [
            turn.answer_pushed_at_ms - turn.decided_at_ms - turn.parts["words_ms"]
            for turn in side.api.of(TurnTaken)
            if turn.answer_pushed_at_ms is not None
        ]
    await caller.leave()
    four = await asyncio.gather(*(_greeted(side) for _ in range(4)))
    measured.four_greetings_ms = [each[2] for each in four]
    for other, _, _ in four:
        await other.leave()
    return measured


@contextlib.asynccontextmanager
async def _stock(rooms: Running, administration: livekit_api.LiveKitAPI) -> AsyncIterator[Side]:
    environment = {**os.environ, "LIVEKIT_URL": rooms.url, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.stock_agent",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        await asyncio.wait_for(process.stdout.readline(), 180)
        await asyncio.sleep(_WARMS_UP_S)
        yield Side("livekit-agents", rooms, administration, psutil.Process(process.pid))
    finally:
        process.terminate()
        await process.wait()


def _row(name: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    mine = statistics.median(ours)
    row: dict[str, Any] = {"what": name, "ours": round(mine, 1), "ours_worst": round(max(ours), 1)}
    if theirs:
        other = statistics.median(theirs)
        row |= {"stock": round(other, 1), "stock_worst": round(max(theirs), 1), "ratio": round(mine / other, 2)}
    return row


async def _compare() -> list[dict[str, Any]]:
    async with roomlet() as rooms, administering(rooms.url, KEY, SECRET) as administration:
        with tempfile.TemporaryDirectory() as folder:
            api = InternalApi()
            await api.start()
            async with agent_worker(rooms, Path(folder), idle=4) as worker:
                process = psutil.Process(worker.process.pid)
                ours = await _measure(Side("rymi", rooms, administration, process, api))
            await api.stop()
        async with _stock(rooms, administration) as side:
            theirs = await _measure(side)
    return [
        _row("greeting after dispatch, ms", ours.greeting_ms, theirs.greeting_ms),
        _row("greeting, four at once, ms", ours.four_greetings_ms, theirs.four_greetings_ms),
        _row("end of speech to answer at the ear, ms", ours.answer_ms, theirs.answer_ms),
        _row("end decision to first push, without the recogniser, ms", ours.own_push_ms, []),
        _row("barge-in: first sound to silence at the ear, ms", ours.barge_in_ms, theirs.barge_in_ms),
        _row("processor of a call, % of a core", ours.processor_percent, theirs.processor_percent),
    ]


def main() -> list[dict[str, Any]]:
    rows = asyncio.run(_compare())
    for row in rows:
        beside = (
            f"stock {row['stock']:>8} (worst {row['stock_worst']:>8})  ratio {row['ratio']}" if "stock" in row else ""
        )
        print(f"{row['what']:<56} {row['ours']:>8} (worst {row['ours_worst']:>8})  {beside}")
    return rows


if __name__ == "__main__":
    main()
