"""How a child of `rymi up` comes to run: as a program of its own, or forked in the nursery.

The messages to a nursery, each a JSON object:
`{"wish": "load", "modules": [...]}` to load when there is nothing else to do;
`{"wish": "bear", "birth": 1, "name": ..., "module": ..., "environment": {...}}`, perhaps with a file for its output;
`{"wish": "signal", "birth": 1, "signal": 15}`.
It answers `{"birth": 1, "pid": ...}`, and at the end of a child `{"birth": 1, "exit_code": ...}`.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final, Protocol

from rymi_server.foundation.orphans import dies_with_parent

HAS_NURSERIES: Final = sys.platform == "linux"
"""Elsewhere who is forked and calls no `exec` may not use all of the system's libraries, or nobody can fork at all."""

_LARGEST_MESSAGE: Final = 65536
_KILLED: Final = -signal.SIGKILL


class Running(Protocol):
    """A process that has been started."""

    @property
    def pid(self) -> int | None:
        """None where it ended before it had begun."""
        ...

    @property
    def exit_code(self) -> int | None:
        """None while it runs; below zero the signal that ended it."""
        ...

    def signal(self, number: signal.Signals) -> None:
        """Nothing, once it has ended."""
        ...

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        ...


class Births(Protocol):
    async def bear(
        self, name: str, module: str, environment: Mapping[str, str], output: IO[bytes] | None
    ) -> Running: ...


# --- programs of their own -------------------------------------------------------------------------------------------


@dataclass
class Program:
    process: asyncio.subprocess.Process

    @property
    def pid(self) -> int | None:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        return self.process.returncode

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def ended(self) -> int:
        return await self.process.wait()


class Programs:
    async def bear(self, name: str, module: str, environment: Mapping[str, str], output: IO[bytes] | None) -> Running:  # noqa: ARG002 - A program is named by its module.
        # Its own session: Ctrl-C at the terminal reaches only us, and we stop it when its turn has come.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module),
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
        )
        return Program(process)


# --- forked in a nursery ---------------------------------------------------------------------------------------------


@dataclass
class Forked:
    nursery: "Line"
    birth: int
    born: asyncio.Future[int | None]
    died: asyncio.Future[int]

    @property
    def pid(self) -> int | None:
        return self.born.result()

    @property
    def exit_code(self) -> int | None:
        return self.died.result() if self.died.done() else None

    def signal(self, number: signal.Signals) -> None:
        if not self.died.done():
            self.nursery.wish(wish="signal", birth=self.birth, signal=number)

    async def ended(self) -> int:
        return await asyncio.shield(self.died)


class Line:
    """To one nursery, from its start to its end. Whoever was born there ends with it."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rymi_server.entrypoints.up.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        self.environment = dict(os.environ)
        self._children: dict[int, Forked] = {}
        self._is_watched = False

    @property
    def is_open(self) -> bool:
        return self._channel.fileno() >= 0

    def wish(self, output: IO[bytes] | None = None, **message: Any) -> None:
        files = [output.fileno()] if output is not None else []
        # A nursery that has gone is noticed by reading.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self._channel, [json.dumps(message).encode()], files)

    async def bear(self, name: str, module: str, environment: Mapping[str, str], output: IO[bytes] | None) -> Running:
        self._watch()
        loop = asyncio.get_running_loop()
        child = Forked(self, len(self._children) + 1, loop.create_future(), loop.create_future())
        self._children[child.birth] = child
        self.wish(
            output,
            wish="bear",
            birth=child.birth,
            name=name,
            module=module,
            environment=_difference(self.environment, environment),
        )
        await child.born
        return child

    def close(self) -> None:
        if self.is_open:
            if self._is_watched:
                asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
        self.process.kill()
        self.process.wait()

    def _watch(self) -> None:
        if not self._is_watched:
            self._is_watched = True
            self._channel.setblocking(False)
            asyncio.get_running_loop().add_reader(self._channel, self._on_message)

    def _on_message(self) -> None:
        try:
            said = self._channel.recv(_LARGEST_MESSAGE)
        except ConnectionResetError:
            said = b""
        if not said:
            self._on_gone()
            return
        message = json.loads(said)
        child = self._children[message["birth"]]
        if "pid" in message:
            child.born.set_result(message["pid"])
        else:
            child.died.set_result(message["exit_code"])

    def _on_gone(self) -> None:
        self.close()
        for child in self._children.values():
            if not child.born.done():
                child.born.set_result(None)
            if not child.died.done():
                child.died.set_result(_KILLED)


@dataclass
class Nurseries:
    """One at a time, and another one when it has gone."""

    _ahead: tuple[str, ...] = field(default=(), init=False)
    """What each of them loads as soon as it has nothing else to do."""
    _line: Line | None = field(default=None, init=False)

    def open(self) -> None:
        """Before any thread runs; what is loaded meanwhile costs nobody time."""
        self._line = Line()

    def load(self, modules: Iterable[str]) -> None:
        self._ahead = tuple(modules)
        if self._line is not None:
            self._line.wish(wish="load", modules=self._ahead)

    async def bear(self, name: str, module: str, environment: Mapping[str, str], output: IO[bytes] | None) -> Running:
        if self._line is None or not self._line.is_open:
            self._line = Line()
            self._line.wish(wish="load", modules=self._ahead)
        return await self._line.bear(name, module, environment, output)

    def close(self) -> None:
        if self._line is not None:
            self._line.close()


def _difference(before: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {name: value for name, value in wanted.items() if before.get(name) != value}
    return changed | {name: None for name in before if name not in wanted}
