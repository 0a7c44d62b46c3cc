"""What this machine takes for a participant that does nothing: no agent in a room can be had for less.

It is measured with the ears and the clocks that the agents are measured with.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from livekit import api
from tests.agent.patience import eventually
from tests.agent.people import Caller
from tests.agent.voices import spoken
from tests.roomlet.running import KEY, SECRET, Running
from tests.roomlet.waiting import within

from benchmarks.agent_lines import ASK
from benchmarks.bare_participant import BURSTS, SPELL_S, SPELLS
from benchmarks.processor import processor
from rymi_server.foundation.ids import new_uuid

ENTERS = 5


@dataclass
class Bare:
    """One in its room, with one who hears it and speaks to it."""

    caller: Caller
    process: asyncio.subprocess.Process
    told: list[tuple[str, float]] = field(default_factory=list)

    def times(self, what: str) -> list[float]:
        return [at for told, at in self.told if told == what]

    async def tells(self, what: str, count: int = 1) -> None:
        await eventually(f"it tells {what!r}", lambda: len(self.times(what)) >= count, 60)

    async def enters(self) -> float:
        """How many milliseconds later it is heard."""
        assert self.process.stdin
        began = time.monotonic()
        self.process.stdin.write(b"\n")
        return (await self.caller.hears_agent(began) - began) * 1_000

    def ears_ms(self) -> list[float]:
        """From a push to its first sound at the ear."""
        assert len(self.times("pushed")) == BURSTS
        return [(self.caller.heard(at)[0] - at) * 1_000 for at in self.times("pushed")]

    async def read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            told = json.loads(line)
            self.told.append((told["what"], told["at"]))


@dataclass
class Floor:
    """Milliseconds, and per cents of a core."""

    greeting_ms: list[float] = field(default_factory=list)
    four_greetings_ms: list[float] = field(default_factory=list)
    ear_ms: list[float] = field(default_factory=list)
    ear_of_four_ms: list[float] = field(default_factory=list)
    silence_ms: list[float] = field(default_factory=list)
    alone_percent: list[float] = field(default_factory=list)
    percent: list[float] = field(default_factory=list)


@contextlib.asynccontextmanager
async def _bare(rooms: Running) -> AsyncIterator[Bare]:
    name = f"bare_{new_uuid()}"
    grants = api.VideoGrants(room_join=True, room=name, can_publish=True, can_subscribe=True)
    token = api.AccessToken(KEY, SECRET).with_identity("bare").with_kind("agent").with_grants(grants)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.bare_participant",
        env={**os.environ, "LIVEKIT_URL": rooms.url, "TOKEN": token.to_jwt()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    bare = Bare(Caller("alice", rooms.url, KEY, SECRET, name), process)
    reading = asyncio.create_task(bare.read())
    try:
        await bare.caller.join()
        await bare.tells("loaded")
        yield bare
    finally:
        process.kill()
        await within("it is gone", process.wait())
        await reading
        await bare.caller.leave()


async def floor(rooms: Running, room_server: int) -> Floor:
    found = Floor()
    for _ in range(ENTERS - 1):
        async with _bare(rooms) as bare:
            found.greeting_ms.append(await bare.enters())
    async with contextlib.AsyncExitStack() as stack:
        four = [await stack.enter_async_context(_bare(rooms)) for _ in range(4)]
        found.four_greetings_ms = list(await asyncio.gather(*(bare.enters() for bare in four)))
        await asyncio.gather(*(bare.tells("done") for bare in four))
        found.ear_of_four_ms = [ms for bare in four for ms in bare.ears_ms()]
    async with _bare(rooms) as bare:
        found.greeting_ms.append(await bare.enters())
        await bare.tells("talks")
        with processor([bare.process.pid], room_server, found.alone_percent, found.percent):
            for _ in range(SPELLS):
                bare.caller.say(spoken(ASK))
                await asyncio.sleep(SPELL_S * 2)
        await bare.tells("done")
        await bare.caller.hears_silence(0.3)
        caller = bare.caller
        found.ear_ms = bare.ears_ms()
        found.silence_ms = [(caller.silent_from(at - 0.05) - at) * 1_000 for at in bare.times("cut")]
    return found
