"""A gateway as a process that is told to stop: phones go on to their end, in its time, or until it is told again."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.phones.test_faults import STRANGER, call
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import eventually, stays, within
from tests.support.asking import SECRET, Customer
from tests.support.phone_lab import PhoneLab, phone_lab
from tests.support.up import free_ports
from tests.support.waiting import until

from rymi_server.foundation.database import Database


@pytest.fixture
async def rooms() -> AsyncIterator[Running]:
    async with roomlet() as running:
        yield running


@dataclass
class Gateway:
    process: asyncio.subprocess.Process
    logged: list[str] = field(default_factory=list)

    async def has_logged(self, event: str) -> None:
        await eventually(event, lambda: event in self.logged or self.process.returncode is not None, 30)
        assert event in self.logged

    def is_told_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def stops(self) -> None:
        assert await within("the gateway stops", self.process.wait(), 20) == 0

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.logged.append(json.loads(line)["event"])


@dataclass
class Desk:
    """One phone in a call, and the gateway that bridges it."""

    lab: PhoneLab
    gateway: Gateway
    acme: Customer
    call_id: str
    leg_id: str

    async def status(self) -> str:
        return str((await self.lab.detail(self.acme, self.call_id))["status"])

    async def hangs_up(self) -> None:
        leg = await self.lab.leg(self.leg_id)
        await self.lab.box.send("POST", f"/calls/{leg['provider_call_id']}/hang-up", {})

    async def is_over(self) -> None:
        """On record, and at the carrier."""
        assert (await self.lab.until_status(self.acme, self.call_id, "completed"))["end_reason"] == "user_disconnect"

        async def gone() -> bool:
            return not await self.lab.calls_in_box(state="in-progress")

        await until("the carrier to hang up", gone)


@contextlib.asynccontextmanager
async def bridged(database: Database, rooms: Running, drain_s: float) -> AsyncIterator[Desk]:
    (port,) = free_ports(1)
    livekit: dict[str, Any] = {
        "livekit_url": rooms.url,
        "livekit_api_key": rooms.key,
        "livekit_api_secret": rooms.secret,
    }
    media_url = f"ws://127.0.0.1:{port}"
    # In real time: a gateway takes faster audio for a flood.
    async with phone_lab(database, speed=1, media_url=media_url, **livekit) as lab:
        environment = {
            **os.environ,
            "DATABASE_URL": database.url,
            "RYMI_SECRET": SECRET,
            "PUBLIC_BASE_URL": lab.url,
            "PUBLIC_MEDIA_URL": media_url,
            **{name.upper(): value for name, value in livekit.items()},
            "RYMI_GATEWAY_PORT": str(port),
            "RYMI_GATEWAY_METRICS_PORT": "0",
            "RYMI_GATEWAY_DRAIN_SECONDS": str(drain_s),
        }
        async with gateway(environment) as running:
            await lab.box.script(STRANGER, {"do": "stay"})
            acme = await lab.customer("twilio")
            call_id, leg_id = await call(lab, acme)
            await lab.until_status(acme, call_id, "in_progress")
            yield Desk(lab, running, acme, call_id, leg_id)


@contextlib.asynccontextmanager
async def gateway(environment: dict[str, str]) -> AsyncIterator[Gateway]:
    program = (sys.executable, "-m", "rymi_server.entrypoints.gateway")
    process = await asyncio.create_subprocess_exec(*program, stderr=asyncio.subprocess.PIPE, env=environment)
    running = Gateway(process)
    reading = asyncio.create_task(running.read())
    try:
        await running.has_logged("gateway_started")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await within("the log ends", reading)


class TestAGatewayThatIsToldToStop:
    async def test_bridges_a_phone_to_its_end(self, own_database: Database, rooms: Running) -> None:
        async with bridged(own_database, rooms, drain_s=3_600) as desk:
            desk.gateway.is_told_to_stop()
            await desk.gateway.has_logged("gateway_draining")
            await stays("it bridges the phone", lambda: desk.gateway.process.returncode is None)
            assert await desk.status() == "in_progress"
            await desk.hangs_up()
            await desk.gateway.stops()
            await desk.is_over()

    async def test_ends_a_call_that_lasts_too_long(self, own_database: Database, rooms: Running) -> None:
        async with bridged(own_database, rooms, drain_s=0.5) as desk:
            desk.gateway.is_told_to_stop()
            await desk.gateway.stops()
            await desk.is_over()

    async def test_ends_its_calls_when_it_is_told_again(self, own_database: Database, rooms: Running) -> None:
        async with bridged(own_database, rooms, drain_s=3_600) as desk:
            desk.gateway.is_told_to_stop()
            await desk.gateway.has_logged("gateway_draining")
            desk.gateway.is_told_to_stop()
            await desk.gateway.stops()
            await desk.is_over()
