"""Holds a call with nobody before the first real one, because a library is only fast once it has been used."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from livekit.agents import tokenize

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import Answer, Reports
from rymi_server.runtime.session.call import Times, run_call
from rymi_server.runtime.session.casting import Casting
from rymi_server.runtime.session.media import Guest, Guests, ShownText

_LONGEST_S: Final = 20.0
_NOBODY: Final = "nobody"


class QuickLine:
    """Plays a hundred times as fast as people speak."""

    queued_s = 0.0

    async def push(self, block: bytes) -> None:
        await asyncio.sleep(len(block) / 48_000 / 100)

    def clear(self) -> None:
        """Everything was played already."""


@dataclass
class Nowhere:
    """A place where one person comes, hears the greeting, says a line, and goes. Keeps the promise of `CallMedia`."""

    line: QuickLine = field(default_factory=QuickLine)
    greeted: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, guests: Guests) -> None:
        guests.came(Guest(_NOBODY))
        guests.listening()
        guests.microphone(_NOBODY, True)

    def show(self, text: ShownText) -> None:
        if text.identity is None and text.final:
            self.greeted.set()

    def signal(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Nobody is there to be told."""

    async def close(self) -> None:
        """Nothing was opened."""


def warm_up(casting: Casting) -> None:
    tokenize.basic.hyphenate_word("warming")
    asyncio.run(_hold_one(casting))


async def _hold_one(casting: Casting) -> None:
    briefing = Briefing(
        call_id="warming-up",
        tenant_id="none",
        room_name="none",
        direction="inbound",
        agent={"playbook": {"opener": "Hello."}},
        variables={},
        metadata={},
        post_call={},
        people=(),
        clock_started_at=None,
        said=(),
        memory=None,
    )
    reporter = Reporter(_taken, "warm", Journal(Path("/dev/null"), Address("", "", "", "")))
    times = Times(time.monotonic, lambda: datetime.now(UTC))
    place = Nowhere()
    cast = casting.cast(briefing)
    holding = asyncio.create_task(run_call(place, briefing, reporter, cast, times, None))
    try:
        await asyncio.wait(
            (holding, asyncio.create_task(place.greeted.wait())),
            timeout=_LONGEST_S,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        reporter.on_over()
        await holding
        await cast.ear.aclose()
        await casting.engines.aclose()


async def _taken(reports: Reports) -> Answer:
    return Answer(accepted=max((each.sequence for each in reports.reports), default=0))
