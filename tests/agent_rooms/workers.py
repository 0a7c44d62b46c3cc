"""`rymi agent` as its users run it: a process of its own, with job processes below it."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from tests.agent.patience import eventually
from tests.roomlet.people import Server
from tests.roomlet.waiting import within


@dataclass
class Worker:
    process: asyncio.subprocess.Process
    folder: Path
    log: list[dict[str, Any]] = field(default_factory=list)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line.get("event") == event]

    @property
    def calls_left(self) -> list[str]:
        return [line["call_id"] for line in self.logged("call_left")]

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """Errors and tracebacks."""
        return [
            line
            for line in self.log
            if line.get("level") in ("error", "critical") or "Traceback" in line.get("text", "")
        ]

    @property
    def jobs(self) -> list[int]:
        """Processes that hold a call, by what they say."""
        return [int(line["pid"]) for line in self.logged("call_taken")]

    def job_of(self, call_id: str) -> int:
        """The process that took this call last."""
        return next(int(line["pid"]) for line in reversed(self.logged("call_taken")) if line["call_id"] == call_id)

    async def is_warm(self) -> None:
        """A process waits for the next call."""
        await eventually(
            "a process is ready", lambda: len(self.logged("agent_process_ready")) > len(self.logged("call_taken")), 120
        )

    async def stop(self, number: int = signal.SIGTERM) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await within("the worker stops", self.process.wait(), 120)


@contextlib.asynccontextmanager
async def agent_worker(rooms: Server, folder: Path, idle: int = 1, **more: str) -> AsyncIterator[Worker]:
    environment = {
        **os.environ,
        "LIVEKIT_URL": rooms.url,
        "LIVEKIT_API_KEY": rooms.key,
        "LIVEKIT_API_SECRET": rooms.secret,
        "RYMI_DATA_DIR": str(folder),
        "RYMI_AGENT_PORT": "0",
        "RYMI_AGENT_IDLE_PROCESSES": str(idle),
        "RYMI_AGENT_LINGER_SECONDS": "0.5",
        "RYMI_LOG_PERSONAL": "true",
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rymi_server.entrypoints.agent", stderr=asyncio.subprocess.PIPE, env=environment
    )
    worker = Worker(process, folder / "agent")
    reading = asyncio.create_task(_read(worker))
    try:
        await eventually(
            "the worker is ready",
            lambda: (
                process.returncode is not None
                or (worker.logged("agent_started") and len(worker.logged("agent_process_ready")) >= idle)
            ),
            180,
        )
        assert process.returncode is None, worker.log
        yield worker
    finally:
        below = psutil.Process(process.pid).children(recursive=True) if process.returncode is None else []
        await worker.stop()
        await within("the log ends", reading)
        await eventually("its processes are gone", lambda: not [each for each in below if lives(each)])


def lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


async def _read(worker: Worker) -> None:
    assert worker.process.stderr is not None
    async for raw in worker.process.stderr:
        try:
            line = json.loads(raw)
        except json.JSONDecodeError:
            line = {"event": "text", "text": raw.decode()}
        worker.log.append(line if isinstance(line, dict) else {"event": "text", "text": raw.decode()})
