"""Room servers to send a load through, each a process: roomlet, its port alone, and LiveKit's."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.serving import free_port

KEY, SECRET = "benchkey", "a-secret-that-is-long-enough-for-a-benchmark"
LIVEKIT_SERVER = os.environ.get("ROOMLET_BENCH_LIVEKIT", "")


@dataclass
class ServerProcess:
    process: asyncio.subprocess.Process
    url: str

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kernel_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[12]) / os.sysconf("SC_CLK_TCK")

    def waiting_seconds(self) -> float:
        """How long it could have run while others had its core: what a busy machine does to the numbers."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9

    def resident_mb(self) -> float:
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[ServerProcess]:
    limits = {"rooms": 1000, "participants": 5000, "joins-per-second": 100000, "joins-burst": 100000}
    flags = [word for name, most in limits.items() for word in (f"--limit-{name}", str(most))]
    ports = ["--http-port", "0", "--udp-port", "0", "--tcp-port", "0", "--departure-timeout-seconds", "1"]
    async with _started("roomlet", *ports, *flags) as started:
        yield started


@contextlib.asynccontextmanager
async def bare_port() -> AsyncIterator[ServerProcess]:
    async with _started("benchmarks.bare_port") as started:
        yield started


@contextlib.asynccontextmanager
async def livekit_server() -> AsyncIterator[ServerProcess]:
    http, tcp, udp = free_port(), free_port(), free_port()
    media = {"udp_port": udp, "tcp_port": tcp, "node_ip": "127.0.0.1", "enable_loopback_candidate": True}
    told = {
        "port": http,
        "bind_addresses": ["127.0.0.1"],
        "keys": {KEY: SECRET},
        "rtc": {**media, "use_external_ip": False, "interfaces": {"includes": ["lo"]}},
        "logging": {"level": "error"},
    }
    process = await asyncio.create_subprocess_exec(LIVEKIT_SERVER, "--config-body", json.dumps(told))
    try:
        await _answers(f"http://127.0.0.1:{http}")
        yield ServerProcess(process, f"http://127.0.0.1:{http}")
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> None:
    async with asyncio.timeout(20), aiohttp.ClientSession() as http:
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(url):
                    return
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def _started(module: str, *flags: str) -> AsyncIterator[ServerProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *flags,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET},
    )
    assert process.stderr is not None
    ready = json.loads(await process.stderr.readline())
    draining = asyncio.create_task(process.stderr.read())
    try:
        yield ServerProcess(process, f"http://127.0.0.1:{ready['http_port']}")
    finally:
        process.terminate()
        await process.wait()
        await draining


Place = Callable[[], contextlib.AbstractAsyncContextManager[ServerProcess]]
