"""Web pages in headless Chromium, as a test drives them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.roomlet.browsers import skip_without_node
from tests.roomlet.waiting import NeverHappened, within
from tests.sdks.building import HERE

LONGEST_LINE = 16 * 1024 * 1024


@dataclass
class Browser:
    process: asyncio.subprocess.Process
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, patience: float = 30, **question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            await self.process.stdin.drain()
            answer = json.loads(
                await within(f"the browser answers {question}", self.process.stdout.readline(), patience)
            )
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    async def open(self, url: str, **context: Any) -> "Page":
        return Page(self, await self.ask(open={"url": url, **context}))

    async def problems(self) -> list[str]:
        """Errors of pages, and what they wrote to the console as errors, since the last look."""
        found: list[str] = await self.ask(problems=True)
        return found


@dataclass
class Page:
    browser: Browser
    number: int

    async def run(self, expression: str) -> Any:
        return await self.browser.ask(page=self.number, run=expression)

    async def until(self, condition: str, seconds: float = 20) -> None:
        """Waits until an expression is true on the page."""
        try:
            await self.browser.ask(seconds + 10, page=self.number, until=condition, seconds=seconds)
        except AssertionError as never:
            raise NeverHappened(f"never was: {condition}; {await self.state()}") from never

    async def state(self) -> str:
        """What helps to see why something did not happen."""
        return str(await self.run("JSON.stringify(window.seen ?? document.body.innerText.slice(0, 1500))"))

    async def do(self, call: str, *arguments: Any) -> Any:
        """A method of playwright's Page."""
        return await self.browser.ask(page=self.number, call=call, arguments=arguments)

    async def press(self, key: str) -> None:
        await self.browser.ask(page=self.number, press=key)

    async def close(self) -> None:
        await self.browser.ask(page=self.number, close=True)


@contextlib.asynccontextmanager
async def browsing(voice: Path | None = None, *, denies: bool = False) -> AsyncIterator[Browser]:
    """`voice` is what the microphone of every page hears, over and over; `denies` is a person who allows none."""
    skip_without_node()
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "browser.mjs"),
        json.dumps({"voice": str(voice) if voice else None, "denies": denies}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        started = json.loads(await within("Chromium starts", process.stdout.readline(), 60))
        if "missing" in started:
            pytest.skip(f"Chromium does not start here: {started['missing']}")
        yield Browser(process)
    finally:
        process.stdin.close()
        try:
            await within("the browser has stopped", process.wait())
        except NeverHappened:
            process.kill()
            await process.wait()
