"""Holds a call with nobody before the first real one, because a library is only fast once it has been used."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from livekit.agents import tokenize

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import Answer, Reports
from rymi_server.runtime.session.call import run_call
from rymi_server.runtime.session.cast import Times
from rymi_server.runtime.session.casting import Casting, Report
from rymi_server.runtime.session.media import Guest, Guests, ShownText
from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.turn_taking.scores import installed_scores
from rymi_server.speech_engines.promises import Abilities, Ear, EarStream, Expected, Heard, Listeners, Vocabulary, Voice

log = structlog.get_logger(__name__)

_LONGEST_S: Final = 20.0
_NOBODY: Final = "nobody"
_RATE: Final = 24_000


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

    def be(self, state: str) -> None:
        """Nobody is there to see it."""

    async def close(self) -> None:
        """Nothing was opened."""


class Hum:
    """Says a tenth of a second of something. Keeps the promise of `Voice`."""

    @property
    def abilities(self) -> Abilities:
        return Abilities("hum")

    @property
    def sample_rate(self) -> int:
        return _RATE

    async def speak(self, text: str) -> AsyncGenerator[bytes]:  # noqa: ARG002 - Keeps the promise.
        yield b"\1\2" * (_RATE // 10)

    async def aclose(self) -> None:
        """Nothing was opened."""


class Deaf:
    """Keeps the promise of `Ear`."""

    @property
    def abilities(self) -> Abilities:
        return Abilities("deaf")

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> EarStream:  # noqa: ARG002
        return _DeafStream()

    async def aclose(self) -> None:
        """Nothing was opened."""


class _DeafStream:
    def push(self, pcm: bytes) -> None:
        """Nothing is heard."""

    async def finish_utterance(self) -> Heard:
        return Heard("")

    def drop_utterance(self) -> None:
        """There is none."""

    def expect(self, expected: Expected | None) -> None:
        """Nothing is."""

    async def aclose(self) -> None:
        """Nothing was opened."""


class WarmingEngines:
    """Keeps the promise of `Engines`."""

    def ear(self, agent: Mapping[str, Any], *, on_phone: bool, report: Report) -> Ear:  # noqa: ARG002
        return Deaf()

    def voice(self, agent: Mapping[str, Any], *, on_phone: bool, report: Report) -> Voice:  # noqa: ARG002
        return Hum()

    def mind(self, agent: Mapping[str, Any], *, report: Report) -> None:
        """The playbook is enough."""

    async def aclose(self) -> None:
        """Nothing was opened."""


def warm_up() -> None:
    """Blocks for some tenths of a second. There must be no event loop in this thread."""
    tokenize.basic.hyphenate_word("warming")
    asyncio.run(_hold_one())


async def _hold_one() -> None:
    scores = installed_scores()
    told = _briefing()
    reporter = Reporter(_taken, "warm", Journal(Path("/dev/null"), Address("", "", "", "")))
    times = Times(time.monotonic, lambda: datetime.now(UTC))
    place = Nowhere()
    cast = Casting(WarmingEngines(), scores, HttpTools(), lambda: datetime.now(UTC)).cast(told, log.info)
    holding = asyncio.create_task(run_call(place, told, reporter, cast, times, None))
    greeted = asyncio.create_task(place.greeted.wait())
    try:
        await asyncio.wait((holding, greeted), timeout=_LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        greeted.cancel()
        reporter.on_over()
        await holding


def _briefing() -> Briefing:
    return Briefing(
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


async def _taken(reports: Reports) -> Answer:
    return Answer(accepted=max((each.sequence for each in reports.reports), default=0))
