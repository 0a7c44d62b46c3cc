"""Participants in processes of their own, on SDKs that cannot live in the tests' process."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.roomlet.browsers import CLIENTS, skip_without_node
from tests.roomlet.people import Server, token
from tests.roomlet.waiting import NeverHappened, eventually, within

SDKS = Path(sys.prefix) / "clients"


@dataclass
class Peer:
    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)

    async def says(self, key: str, seconds: float = 20.0) -> Any:
        try:
            await eventually("", lambda: any(key in line for line in self.said), seconds)
        except NeverHappened:
            raise NeverHappened(f"the peer never said {key!r}, only {self.said}") from None
        return next(line[key] for line in self.said if key in line)


@contextlib.asynccontextmanager
async def peer(
    command: Sequence[str],
    server: Server,
    room: str,
    *,
    plays: float,
    listens_to: tuple[str, float],
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Peer]:
    other, hz = listens_to
    process = await asyncio.create_subprocess_exec(
        *command,
        server.url,
        token(server, room, "peer"),
        str(plays),
        other,
        str(hz),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    someone = Peer(process)
    reading = asyncio.create_task(_read(someone))
    try:
        yield someone
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await within("the peer stops", process.wait(), 10)
        except NeverHappened:
            process.kill()
            await process.wait()
        await reading


async def _read(someone: Peer) -> None:
    assert someone.process.stdout is not None
    async for raw in someone.process.stdout:
        with contextlib.suppress(json.JSONDecodeError):
            someone.said.append(json.loads(raw))


def python_sdk(name: str) -> tuple[list[str], dict[str, str]]:
    """A Python with another LiveKit SDK in front of the environment's own."""
    folder = SDKS / f"sdk-{name}"
    if not folder.is_dir():
        pytest.skip(f"the {name} LiveKit SDK for Python is not installed: `make .venv/.clients` does it")
    return [sys.executable, str(CLIENTS / "python_peer.py")], {"PYTHONPATH": str(folder)}


def node_sdk() -> tuple[list[str], dict[str, str]]:
    skip_without_node()
    return [shutil.which("node") or "node", str(CLIENTS / "node_peer.mjs")], {}
