"""Holds calls in a test: with the real session, the real espeak-ng, and people made of sound."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livekit.agents import llm
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.sound_room import SoundRoom
from tests.roomlet.waiting import within

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.recording.tape import Tape
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Pace, Reporter
from rymi_server.runtime.reports import Answer, AnyReport, Happened, Order, Reports, Said, TurnTaken
from rymi_server.runtime.session.call import run_call
from rymi_server.runtime.session.cast import Cast, Times
from rymi_server.runtime.session.casting import Casting
from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.turn_taking.scores import installed_scores
from rymi_server.speech_engines.promises import Ear
from rymi_server.speech_engines.readiness import Equipment

STORY = (
    "Once upon a time there was a telephone that nobody wanted to answer, and it rang and rang in the hall of an old "
    "house, until a mouse came who was kinder to the callers than anybody had ever been."
)
PLAYBOOK = {
    "opener": "Hello there.",
    "objectionHandlers": [
        {"trigger": "tell me a story", "response": STORY},
        {"trigger": "what about saturday", "response": "We are closed on Saturday."},
        {"trigger": "when are you open", "response": "We are open from nine to five."},
        {"trigger": "where are you", "response": "We are in the old town."},
    ],
    "anythingElse": "",
}
GREETING = f"agent: {PLAYBOOK['opener']}"


def with_advanced(**advanced: Any) -> dict[str, Any]:
    """The agent, with some of its settings."""
    return {"playbook": PLAYBOOK, "advanced": {"turnDetectorMode": "balanced", **advanced}}


def briefing(**changes: Any) -> Briefing:
    told: dict[str, Any] = {
        "call_id": "11111111-1111-7111-8111-111111111111",
        "tenant_id": "tenant",
        "room_name": "call_11111111-1111-7111-8111-111111111111",
        "direction": "inbound",
        "agent": with_advanced(),
        "variables": {},
        "metadata": {},
        "post_call": {},
        "people": (),
        "clock_started_at": None,
        "said": (),
        "memory": None,
    }
    return Briefing(**{**told, **changes})


class OneEar(InstalledEngines):
    """The engines of this machine, but for the ear, and for the model where one is given."""

    def __init__(self, heard_by: Ear, model: "llm.LLM[Any] | None" = None) -> None:
        super().__init__(Equipment({}, Path("/nowhere")))
        self._heard_by, self._model = heard_by, model

    def ear(self, agent: Any, **_: Any) -> Ear:
        return self._heard_by

    def mind(self, agent: Any, **_: Any) -> "llm.LLM[Any] | None":
        return self._model


@dataclass
class Held:
    room: SoundRoom
    reports: list[AnyReport]
    orders: list[Order] = field(default_factory=list)
    over: bool = False
    obeyed: int = 0
    running: "asyncio.Task[str] | None" = None

    def of(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def lines(self) -> list[str]:
        return [f"{each.line.identity or 'agent'}: {each.line.text}" for each in self.of(Said)]

    @property
    def turns(self) -> list[TurnTaken]:
        return self.of(TurnTaken)

    async def said(self, line: str, seconds: float = 40.0) -> None:
        await eventually(f"somebody says {line!r}", lambda: any(line in each for each in self.lines), seconds)

    async def agent_heard(self, since: float, seconds: float = 40.0) -> float:
        await eventually("the agent is heard", lambda: self.room.line.heard(since), seconds)
        return self.room.line.heard(since)[0]

    async def ends(self, seconds: float = 60.0) -> str:
        assert self.running
        return await within("the call ends", self.running, seconds)


@contextlib.asynccontextmanager
async def held_call(
    tmp_path: Path,
    ear: Ear | None = None,
    told: Briefing | None = None,
    tape: Callable[[Briefing], Tape] | None = None,
    linger_s: float = 0.3,
    change: Callable[[Cast], Cast] = lambda cast: cast,
    model: "llm.LLM[Any] | None" = None,
) -> AsyncIterator[Held]:
    told = told or briefing()
    room = SoundRoom()
    held = Held(room, [])

    async def post(reports: Reports) -> Answer:
        held.obeyed = max(held.obeyed, reports.obeyed)
        held.reports.extend(each.report for each in reports.reports)
        accepted = max((each.sequence for each in reports.reports), default=-1)
        return Answer(accepted=accepted, over=held.over, orders=tuple(held.orders))

    reporter = Reporter(
        post,
        "run1",
        Journal(tmp_path / "journal", Address("", told.call_id, "", "run1")),
        pace=Pace(sign_of_life_s=0.3),
    )
    engines = OneEar(ear or ScriptedEar([]), model)
    tools = HttpTools(allow_private=True)
    casting = Casting(engines, installed_scores(), tools, lambda: datetime.now(UTC))
    cast = change(casting.cast(told, lambda text: reporter.send(Happened(message=text))))
    times = Times(time.monotonic, lambda: datetime.now(UTC), linger_s=linger_s)
    reporter.start()
    running = held.running = asyncio.create_task(
        run_call(room, told, reporter, cast, times, tape(told) if tape else None)
    )
    try:
        await eventually("the call is open", lambda: room.guests is not None or running.done())
        yield held
    finally:
        reporter.on_over()
        await held.ends()
        await reporter.aclose()
        await engines.aclose()
        await tools.aclose()
