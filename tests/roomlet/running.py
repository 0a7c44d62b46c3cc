"""Runs roomlet as its users do: as a process of its own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from tests.roomlet.waiting import within

KEY, SECRET = "testkey", "a-secret-that-is-long-enough-for-tests"


@dataclass
class Running:
    process: asyncio.subprocess.Process
    http_port: int
    key: str = KEY
    secret: str = SECRET
    log: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.http_port}"

    @property
    def http_url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [line for line in self.log if line["level"] == "error"]

    async def metrics(self) -> dict[str, float]:
        async with aiohttp.ClientSession() as http, http.get(f"{self.http_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    async def stop(self, number: int = signal.SIGTERM) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await within("roomlet stops", self.process.wait())


@contextlib.asynccontextmanager
async def roomlet(*flags: str, http_port: int = 0, udp_port: int = 0, tcp_port: int = 0) -> AsyncIterator[Running]:
    """Ports are free ones unless a test needs the same again."""
    ports = ["--http-port", str(http_port), "--udp-port", str(udp_port), "--tcp-port", str(tcp_port)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "roomlet",
        *ports,
        *flags,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET},
    )
    running = Running(process, 0)
    reading = asyncio.create_task(_read(running))
    try:
        await within("roomlet is ready", _ready(running, reading), 20)
        yield running
    finally:
        await running.stop()
        await within("the log ends", reading)


async def _ready(running: Running, reading: asyncio.Task[None]) -> None:
    while not running.http_port:
        assert not reading.done(), f"roomlet did not start: {running.log}"
        await asyncio.sleep(0.01)


async def _read(running: Running) -> None:
    assert running.process.stderr is not None
    async for raw in running.process.stderr:
        try:
            line = json.loads(raw)
        except json.JSONDecodeError:
            line = {"level": "text", "message": raw.decode()}
        running.log.append(line)
        if line["message"] == "roomlet is ready":
            running.http_port = line["http_port"]
