"""What this machine takes for a participant that does nothing: no agent in a room can be had for less.

It is measured with the ears and the clocks that the agents are measured with. How long a sound takes to the ear is an
accident of how two clocks of 10 ms and a buffer's first seconds met, by up to 20 ms. So it is measured in many rooms,
in turns with those that have an agent, and after as many words as an agent has said by then.
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
from tests.agent.voices import spoken
from tests.roomlet.running import KEY, SECRET, Running
from tests.roomlet.waiting import within

from benchmarks.agent_lines import ASK
from benchmarks.bare_participant import SPELL_S
from benchmarks.callers import QuietCaller
from benchmarks.processor import processor
from rymi_server.foundation.ids import new_uuid

# Of talking half of the time, while the processor is looked at.
SPELLS = 2


@dataclass
class Bare:
    """One in its room, with one who hears it and speaks to it."""

    caller: QuietCaller
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
        return [(self.caller.heard(at)[0] - at) * 1_000 for at in self.times("pushed")]

    def silence_ms(self) -> list[float]:
        """From a cut to the last sound at the ear."""
        return [(self.caller.silent_from(at - 0.05) - at) * 1_000 for at in self.times("cut")]

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
    percent_of_four: list[float] = field(default_factory=list)


@contextlib.asynccontextmanager
async def _bare(rooms: Running, turns: int, later_s: float = 0.0) -> AsyncIterator[Bare]:
    name = f"bare_{new_uuid()}"
    grants = api.VideoGrants(room_join=True, room=name, can_publish=True, can_subscribe=True)
    token = api.AccessToken(KEY, SECRET).with_identity("bare").with_kind("agent").with_grants(grants)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.bare_participant",
        str(turns),
        str(later_s),
        env={**os.environ, "LIVEKIT_URL": rooms.url, "TOKEN": token.to_jwt()},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    bare = Bare(QuietCaller("alice", rooms.url, KEY, SECRET, name), process)
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


@dataclass
class BareRooms:
    """Each measures what a room of one, or four rooms at once, take now, and adds it to what was found."""

    rooms: Running
    room_server: int
    found: Floor = field(default_factory=Floor)

    async def one(self, turns: int) -> None:
        found = self.found
        async with _bare(self.rooms, turns) as bare:
            found.greeting_ms.append(await bare.enters())
            await bare.tells("talks")
            found.ear_ms += bare.ears_ms()
            found.silence_ms += bare.silence_ms()
            with processor([bare.process.pid], self.room_server, found.alone_percent, found.percent):
                for _ in range(SPELLS):
                    bare.caller.say(spoken(ASK))
                    await asyncio.sleep(SPELL_S * 2)

    async def four(self, turns: int, each_later_s: float) -> None:
        """Each has its turns so much later than the one before."""
        found = self.found
        async with contextlib.AsyncExitStack() as stack:
            four = [
                await stack.enter_async_context(_bare(self.rooms, turns, each_later_s * number)) for number in range(4)
            ]
            found.four_greetings_ms += await asyncio.gather(*(bare.enters() for bare in four))
            await asyncio.gather(*(bare.tells("talks") for bare in four))
            found.ear_of_four_ms += [ms for bare in four for ms in bare.ears_ms()]
            pids = [bare.process.pid for bare in four]
            with processor(pids, self.room_server, [], found.percent_of_four):
                for _ in range(SPELLS):
                    for bare in four:
                        bare.caller.say(spoken(ASK))
                    await asyncio.sleep(SPELL_S * 2)
