"""Percentiles, tables, and a client that costs little enough not to be what is measured."""

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Times:
    """How long each of many things took, and how long all of them together."""

    seconds: Sequence[float]
    elapsed: float

    def percentile(self, percent: float) -> float:
        """In milliseconds: the smallest time that `percent` of all do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] * 1000

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed


async def timed(work: Sequence[Callable[[], Awaitable[None]]], clients: int) -> Times:
    """Do all of `work` with so many at a time."""
    waiting, seconds = iter(work), []

    async def client() -> None:
        for each in waiting:
            started = time.perf_counter()
            await each()
            seconds.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return Times(seconds, time.perf_counter() - started)


class HttpConnection:
    """One kept-alive connection that asks one thing at a time."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._headers = f"Host: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"

    async def __aenter__(self) -> "HttpConnection":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        content = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(content)}\r\n\r\n"
        self._writer.write(head.encode() + content)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(answer[9:12]), await self._reader.readexactly(length)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print columns that line up."""
    written = [[f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    widths = [max(len(line[column]) for line in [list(headings), *written]) for column in range(len(headings))]
    for line in [list(headings), *written]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
