"""The owner's end of a worker process: started when it is first needed, and again after a crash.

A crash fails what the worker was doing, and a worker that is stuck is made to crash. The event loop never waits for the
worker.
"""

import asyncio
import contextlib
import itertools
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.workers.forking import Forked
from rymi_server.speech_engines.workers.wire import HEAD, BrokenWire, Kind, Message, head

START_SECONDS: Final = 20.0
# A process that loads a large model from a slow disk.
LOADS_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 2.0
# A worker that takes in so little is stuck: what comes on top is refused rather than kept.
MOST_UNSENT_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receiver:
    """Told on the event loop."""

    on_message: Callable[[Message], None]
    on_lost: Callable[[], None]


class Child(Protocol):
    @property
    def pid(self) -> int: ...

    def wait(self, timeout: float | None = None) -> object:
        """Raise `subprocess.TimeoutExpired`."""
        ...

    def kill(self) -> None: ...


class WorkerProcess:
    """One process, many streams. `module` is run as `python -m module DESCRIPTOR *arguments`, or forked, and then its
    `main` is called with those."""

    def __init__(
        self, engine: str, module: str, arguments: Sequence[str] = (), patience: float = START_SECONDS
    ) -> None:
        self._patience = patience
        self.engine = engine
        self._module = module
        self._arguments = tuple(arguments)
        self._receivers: dict[int, Receiver] = {}
        self._numbers = itertools.count(1)
        self._starting = asyncio.Lock()
        self._early: tuple[socket.socket, Child] | None = None
        self._child: Child | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.starts = 0
        self.messages = 0
        """How many have come from the worker, whoever they were for."""

    @property
    def running(self) -> bool:
        return self._writer is not None

    @property
    def streams(self) -> int:
        return len(self._receivers)

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Return once the worker is ready. Raise `EngineFailed`."""
        async with self._starting:
            if self._writer is not None:
                return
            await self._reap()
            try:
                async with asyncio.timeout(self._patience):
                    await self._start()
            except (OSError, TimeoutError, asyncio.IncompleteReadError, BrokenWire) as error:
                await self._reap()
                why = str(error) or type(error).__name__
                raise EngineFailed(self.engine, f"its process did not start ({why})") from error

    def start_early(self) -> None:
        """Let the process come up before there is an event loop or any other thread of ours; the first `start` then
        hardly waits."""
        ours, theirs = socket.socketpair()
        with theirs:
            if sys.platform == "linux":
                self._early = ours, Forked(self.engine, self._module, theirs.fileno(), self._arguments)
            else:
                self._early = ours, self._spawn(theirs.fileno())

    def open(self, receiver: Receiver) -> int:
        number = next(self._numbers)
        self._receivers[number] = receiver
        return number

    def close(self, stream: int) -> None:
        self._receivers.pop(stream, None)

    def send(self, message: Message) -> None:
        """Never blocks. Raise `EngineFailed` where the worker is gone, or takes nothing in."""
        if self._writer is None:
            raise EngineFailed(self.engine, "its process is gone")
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            raise EngineFailed(self.engine, "its process takes nothing in")
        self._writer.write(message.encode())

    def give_up(self, messages: int) -> None:
        """For who has waited in vain since so many messages had come. Where none came since, for anybody, the worker is
        stuck: it is killed, and lost as if it had died. Otherwise it is busy, and stays."""
        if self._writer is None or self.messages != messages:
            return
        if self._child is not None:
            self._child.kill()
        self._lose()

    async def aclose(self) -> None:
        self._lose()
        if self._reading:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self._reap()

    async def _start(self) -> None:
        ours = await self._socket()
        try:
            reader, writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            raise
        try:
            first = await _next(reader)
            if first.kind is not Kind.READY:
                raise BrokenWire(first.body.decode(errors="replace"))
        except BaseException:
            writer.close()
            raise
        self.starts += 1
        self.messages += 1
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader, writer), name=f"{self.engine} worker")

    async def _socket(self) -> socket.socket:
        """Our end of the socket to a process that is coming up, or has come up already."""
        if self._early is not None:
            (ours, self._child), self._early = self._early, None
            return ours
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._child = await asyncio.to_thread(self._spawn, theirs.fileno())
        except BaseException:
            ours.close()
            raise
        return ours

    def _spawn(self, descriptor: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", self._module, str(descriptor), *self._arguments]
        # A session of its own: signals to our process group are ours, and the worker leaves when we hang up.
        return subprocess.Popen(command, pass_fds=[descriptor], stdin=subprocess.DEVNULL, start_new_session=True)

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                message = await _next(reader)
                self.messages += 1
                receiver = self._receivers.get(message.stream)
                if receiver is not None:
                    receiver.on_message(message)
        except (asyncio.IncompleteReadError, ConnectionError, BrokenWire):
            if self._writer is writer:
                self._lose()

    def _lose(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        receivers, self._receivers = self._receivers, {}
        for receiver in receivers.values():
            receiver.on_lost()

    async def _reap(self) -> None:
        """Let the process go: it leaves by itself when we have hung up, and is killed where it does not."""
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(_wait_or_kill, child)


def _wait_or_kill(child: Child) -> None:
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


async def _next(reader: asyncio.StreamReader) -> Message:
    length, kind, stream = head(await reader.readexactly(HEAD.size))
    return Message(kind, stream, await reader.readexactly(length) if length else b"")
