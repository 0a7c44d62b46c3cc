"""One room server and one agent worker for all tests that need a real room."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from livekit import api as livekit_api
from tests.agent.api import TOKEN, InternalApi
from tests.agent.holding import briefing
from tests.agent.people import Caller, administering, send_agent
from tests.agent_rooms.workers import Worker, agent_worker
from tests.roomlet.comparing import LIVEKIT, real_livekit
from tests.roomlet.people import Server
from tests.roomlet.running import roomlet

from rymi_server.foundation.ids import new_uuid


@pytest.fixture(scope="session")
async def rooms() -> AsyncIterator[Server]:
    """A LiveKit server where one is named to compare with, else roomlet."""
    if os.environ.get(LIVEKIT):
        yield real_livekit()
        return
    async with roomlet() as running:
        yield running


@pytest.fixture(scope="session")
async def worker(rooms: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Worker]:
    async with agent_worker(rooms, tmp_path_factory.mktemp("agent")) as running:
        yield running


@dataclass
class Call:
    """A call in a real room, and the API that its agent speaks to."""

    rooms: Server
    api: InternalApi
    administration: livekit_api.LiveKitAPI
    call_id: str
    callers: list[Caller] = field(default_factory=list)
    runs: int = 0
    agent_name: str = "rymi"

    @property
    def room_name(self) -> str:
        return f"call_{self.call_id}"

    def told(self, **changes: Any) -> None:
        self.api.briefings[self.call_id] = briefing(call_id=self.call_id, room_name=self.room_name, **changes)

    async def caller(self, identity: str, *, listens_only: bool = False) -> Caller:
        caller = Caller(identity, self.rooms.url, self.rooms.key, self.rooms.secret, self.room_name)
        await caller.join(listens_only=listens_only)
        self.callers.append(caller)
        return caller

    async def send_agent(self) -> str:
        self.runs += 1
        run = f"run{self.runs}"
        await send_agent(self.administration, self.room_name, self.call_id, run, self.api.url, TOKEN, self.agent_name)
        return run

    async def everyone_leaves(self) -> None:
        while self.callers:
            await self.callers.pop().leave()


@pytest.fixture
async def call(rooms: Server) -> AsyncIterator[Call]:
    api = InternalApi()
    await api.start()
    async with administering(rooms.url, rooms.key, rooms.secret) as administration:
        call = Call(rooms, api, administration, str(new_uuid()))
        call.told()
        yield call
        api.over.add(call.call_id)
        await call.everyone_leaves()
    await api.stop()


@pytest.fixture
def recorded(worker: Worker) -> Path:
    """Where finished recordings lie."""
    return worker.folder.parent / "storage" / "recordings"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report = yield
    held = getattr(item, "funcargs", {}).get("call")
    if report.failed and isinstance(held, Call):
        report.sections.append(("What was reported", "\n".join(map(str, held.api.reports))))
    worker = getattr(item, "funcargs", {}).get("worker")
    if report.failed and isinstance(worker, Worker):
        report.sections.append(("What the worker logged", "\n".join(map(str, worker.log[-30:]))))
    return report
