"""A cable between clients and a server that a test can pull: what it carries is TCP, so signalling and not media."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.roomlet.people import Server


@dataclass
class Cable:
    """Looks like the server it leads to."""

    server: Server
    port: int = 0
    is_plugged: bool = True
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return self.server.key

    @property
    def secret(self) -> str:
        return self.server.secret

    def jolt(self) -> None:
        """Breaks what is connected; new connections succeed."""
        for writer in self._open:
            writer.transport.abort()

    def pull(self) -> None:
        self.is_plugged = False
        self.jolt()

    def plug(self) -> None:
        self.is_plugged = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_plugged:
            writer.transport.abort()
            return
        address = urlsplit(self.server.url)
        try:
            far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            writer.transport.abort()
            return
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._open.add(sink)
            task = asyncio.create_task(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        except ConnectionError:
            pass
        finally:
            self._open.discard(sink)
            sink.transport.abort()

    async def close(self) -> None:
        self.pull()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def cable(server: Server) -> AsyncIterator[Cable]:
    made = Cable(server)
    listening = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listening.close()
        await made.close()
