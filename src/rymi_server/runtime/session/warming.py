"""Holds a call with nobody before the first real one, because a library is only fast once it has been used."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from livekit.agents import tokenize, utils

from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import Answer, Reports
from rymi_server.runtime.session.call import run_call
from rymi_server.runtime.session.cast import Times
from rymi_server.runtime.session.casting import Casting, Report
from rymi_server.runtime.session.media import Guest, Guests, ShownText
from rymi_server.runtime.speaking.player import RATE
from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.turn_taking.choosing import ENGINES
from rymi_server.runtime.turn_taking.scores import Scores
from rymi_server.speech_engines.espeak import SAMPLE_RATE as ESPEAK_RATE
from rymi_server.speech_engines.promises import Abilities, Ear, EarStream, Expected, Heard, Listeners, Vocabulary, Voice

log = structlog.get_logger(__name__)

_LONGEST_S: Final = 20.0
_NOBODY: Final = "nobody"
# Half a second of something, and a second of nothing.
_HUMMED: Final = (b"\1\30" * 640,) * 12 + (bytes(1_280),) * 25
# A playbook in which an answer has everything to look for that answers look for.
_PLAYBOOK: Final = {
    "opener": "Hello.",
    "objectionHandlers": [{"trigger": "when are you open", "response": "Always."}],
    "qualificationFlow": [{"question": "What is your phone number?"}, {"question": "Which day suits you?"}],
}
_WRITTEN: Final = "When are you open? My number is five five five, one two three four, tomorrow at ten would suit me."


class QuickLine:
    """Plays twice as fast as people speak: no sound is over before its words are there."""

    queued_s = 0.0

    async def push(self, block: bytes) -> None:
        await asyncio.sleep(len(block) / 48_000 / 2)

    def clear(self) -> None:
        """Everything was played already."""


@dataclass
class Nowhere:
    """A place where one person comes, hums, hears the greeting, writes a line, and is answered. Keeps the promise of
    `CallMedia`."""

    line: QuickLine = field(default_factory=QuickLine)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    _guests: Guests | None = None
    _said: int = 0

    async def open(self, guests: Guests) -> None:
        self._guests = guests
        guests.came(Guest(_NOBODY))
        guests.listening()
        guests.microphone(_NOBODY, True)
        for piece in _HUMMED:
            guests.heard(_NOBODY, piece)

    def show(self, text: ShownText) -> None:
        if text.identity is not None or not text.final:
            return
        self._said += 1
        if self._said > 1:
            self.answered.set()
        elif self._guests is not None:
            self._guests.typed(_NOBODY, _WRITTEN)

    def signal(self, topic: str, payload: Mapping[str, Any]) -> None:
        """Nobody is there to be told."""

    def press(self, keys: str) -> None:
        """There is no phone."""

    def be(self, state: str) -> None:
        """Nobody is there to see it."""

    async def speak_to(self, identity: str | None) -> None:
        """Nobody else is there."""

    async def close(self) -> None:
        """Nothing was opened."""


class Hum:
    """Says a tenth of a second of something. Keeps the promise of `Voice`."""

    @property
    def abilities(self) -> Abilities:
        return Abilities("hum")

    @property
    def sample_rate(self) -> int:
        return RATE

    async def speak(self, text: str) -> AsyncGenerator[bytes]:  # noqa: ARG002 - Keeps the promise.
        yield b"\1\2" * (RATE // 10)

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


def warm_up(scores: Scores) -> None:
    """Blocks for some tenths of a second. There must be no event loop in this thread."""
    tokenize.basic.hyphenate_word("warming")
    PolyResampler(ESPEAK_RATE, RATE)
    for engines in ENGINES.values():
        scores.first_of(engines)
    asyncio.run(_hold_one(scores))


async def _hold_one(scores: Scores) -> None:
    async with utils.http_context.open():
        pass  # At the end of a job the library opens this, if nobody has, in order to close it.
    told = _briefing()
    reporter = Reporter(_taken, "warm", Journal(Path("/dev/null"), Address("", "", "", "")))
    times = Times(time.monotonic, lambda: datetime.now(UTC))
    place = Nowhere()
    cast = Casting(WarmingEngines(), scores, HttpTools(), lambda: datetime.now(UTC)).cast(told, log.info)
    holding = asyncio.create_task(run_call(place, told, reporter, cast, times, None))
    answered = asyncio.create_task(place.answered.wait())
    try:
        done, _ = await asyncio.wait((holding, answered), timeout=_LONGEST_S, return_when=asyncio.FIRST_COMPLETED)
        if answered not in done:
            log.warning("warming_up_was_cut_short")
    finally:
        answered.cancel()
        reporter.on_over()
        await holding


def _briefing() -> Briefing:
    return Briefing(
        call_id="warming-up",
        tenant_id="none",
        room_name="none",
        direction="inbound",
        agent={"playbook": _PLAYBOOK, "advanced": {"turnDetectorMode": "balanced"}},
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
