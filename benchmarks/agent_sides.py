"""The two agents that are compared, each with what it tells of its turns in its own way."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil
from livekit import api as livekit_api
from tests.agent.api import TOKEN, InternalApi
from tests.agent.holding import PLAYBOOK, briefing
from tests.agent.patience import eventually
from tests.agent.people import Caller, send_agent
from tests.agent_rooms.workers import Worker, agent_worker
from tests.roomlet.running import KEY, SECRET, Running

from benchmarks.agent_lines import ASK, STORY
from rymi_server.runtime.reports import ClockStarted, TurnTaken
from rymi_server.runtime.turn_taking.signals import Mode

# For each call that may come.
_STOCK_WARMS_UP_S = 4.0
_OUR_CALL = {
    "playbook": {
        **PLAYBOOK,
        "objectionHandlers": [
            {"trigger": ASK, "response": STORY},
            *(each for each in PLAYBOOK["objectionHandlers"] if each["trigger"] != ASK),  # type: ignore[index]
        ],
    },
}


@dataclass(frozen=True)
class Turn:
    """On the clock of this process: when all the words were in, when somebody was found to speak over the agent.

    `voice_ms` is what the voice took for its first sound since the words, `push_ms` all else until that was handed out.
    """

    words_at: float | None = None
    push_ms: float | None = None
    voice_ms: float = 0.0
    speaks_at: float | None = None


class Held(Protocol):
    """One call with an agent in it."""

    async def send(self) -> None: ...

    @property
    def pid(self) -> int:
        """The process that holds the call."""
        ...

    def turns(self) -> list[Turn]: ...

    async def end(self) -> None: ...


class Side(Protocol):
    name: str
    # Whether it decides turns in more than one way.
    has_modes: bool

    def call(self, call_id: str, caller: Caller, mode: Mode) -> Held: ...

    async def is_warm(self, calls: int) -> None:
        """So many may come at once."""
        ...


def steady(wall: float) -> float:
    """A time of day as this process' steady clock has it."""
    return time.monotonic() + wall - time.time()


@dataclass
class OurCall:
    side: "Ours"
    call_id: str
    mode: Mode
    api: InternalApi = field(default_factory=InternalApi)

    async def send(self) -> None:
        room = f"call_{self.call_id}"
        await self.api.start()
        agent = _OUR_CALL | {"advanced": {"turnDetectorMode": self.mode}}
        told = briefing(call_id=self.call_id, room_name=room, agent=agent, post_call={"recording": {"enabled": True}})
        self.api.briefings[self.call_id] = told
        await send_agent(self.side.administration, room, self.call_id, "1", self.api.url, TOKEN)

    @property
    def pid(self) -> int:
        return self.side.worker.job_of(self.call_id)

    def turns(self) -> list[Turn]:
        zero = steady(self.api.of(ClockStarted)[0].started_at.timestamp())

        def at(ms: float | None) -> float | None:
            return None if ms is None else zero + ms / 1_000

        def seen(turn: TurnTaken) -> Turn:
            words_at, voice_ms = at(turn.decided_at_ms + turn.parts["words_ms"]), turn.parts.get("voice_ms", 0.0)
            push_ms = turn.parts["answer_ms"] - voice_ms if "answer_ms" in turn.parts else None
            return Turn(words_at, push_ms, voice_ms, at(turn.interrupted_at_ms))

        return [seen(turn) for turn in self.api.of(TurnTaken)]

    async def end(self) -> None:
        self.api.over.add(self.call_id)
        await eventually("our agent has left", lambda: self._has_left, 60)
        await self.api.stop()

    @property
    def _has_left(self) -> bool:
        return any(line["call_id"] == self.call_id for line in self.side.worker.logged("call_left"))


@dataclass
class Ours:
    worker: Worker
    administration: livekit_api.LiveKitAPI
    name: str = "rymi"
    has_modes: bool = True

    def call(self, call_id: str, caller: Caller, mode: Mode) -> Held:  # noqa: ARG002 - Ours tells the API.
        return OurCall(self, call_id, mode)

    async def is_warm(self, calls: int) -> None:
        taken = len(self.worker.logged("call_taken"))
        await eventually(
            "processes are ready", lambda: len(self.worker.logged("agent_process_ready")) >= taken + calls, 120
        )


@dataclass
class StockCall:
    side: "Stock"
    call_id: str
    caller: Caller

    async def send(self) -> None:
        request = livekit_api.CreateAgentDispatchRequest(agent_name="stock", room=f"call_{self.call_id}")
        await self.side.administration.agent_dispatch.create_dispatch(request)

    @property
    def pid(self) -> int:
        return int(self._told[0]["pid"])

    def turns(self) -> list[Turn]:
        return [
            Turn(steady(float(each["at"])) if each["what"] == "words" else None, speaks_at=steady(float(each["at"])))
            for each in self._told
            if each["what"] in ("words", "speaks")
        ]

    async def end(self) -> None:
        await eventually("the stock agent has told", lambda: self._told, 10)

    @property
    def _told(self) -> list[dict[str, float | str]]:
        return [json.loads(data) for _, topic, data in self.caller.packets if topic == "bench"]


@dataclass
class Stock:
    administration: livekit_api.LiveKitAPI
    name: str = "livekit-agents"
    has_modes: bool = False

    def call(self, call_id: str, caller: Caller, mode: Mode) -> Held:  # noqa: ARG002 - It has Silero only.
        return StockCall(self, call_id, caller)

    async def is_warm(self, calls: int) -> None:
        """It does not say so."""
        await asyncio.sleep(_STOCK_WARMS_UP_S * calls)


@contextlib.asynccontextmanager
async def ours(rooms: Running, administration: livekit_api.LiveKitAPI, folder: Path) -> AsyncIterator[Side]:
    async with agent_worker(rooms, folder, idle=4) as worker:
        yield Ours(worker, administration)


@contextlib.asynccontextmanager
async def stock(rooms: Running, administration: livekit_api.LiveKitAPI) -> AsyncIterator[Side]:
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
        async with asyncio.timeout(180):
            await process.stdout.readline()
        yield Stock(administration)
    finally:
        below = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        for each in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
