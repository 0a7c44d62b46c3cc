"""Participants in headless Chromium, on whichever livekit-client a test names."""

import asyncio
import base64
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from tests.roomlet.people import Server, token
from tests.roomlet.waiting import NeverHappened, within

CLIENTS = Path(__file__).parent / "clients"
AUDIBLE_DB = -60
PEAK_HZ = 9
LONGEST_LINE = 4 * 1024 * 1024
NO_NODE = "no Node.js here: the browser and Node.js clients cannot run"
NO_PACKAGES = "the JavaScript clients are not installed: `make .venv/.clients` does it"


def skip_without_node() -> None:
    if shutil.which("node") is None:
        pytest.skip(NO_NODE)
    if not (CLIENTS / "node_modules").is_dir():
        pytest.skip(NO_PACKAGES)


@dataclass
class Browser:
    process: asyncio.subprocess.Process
    site: str
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, **question: Any) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with self._turn:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            await self.process.stdin.drain()
            answer = json.loads(await within(f"the browser answers {question}", self.process.stdout.readline(), 30))
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    async def open(self, library: str) -> "Page":
        return Page(self, await self.ask(open=f"{self.site}/clients-page?library={library}"))


@dataclass
class Page:
    """A browser tab; once it joined, a participant."""

    browser: Browser
    number: int

    async def close(self) -> None:
        await self.browser.ask(close=self.number)

    async def run(self, expression: str) -> Any:
        return await self.browser.ask(page=self.number, run=expression)

    async def join(self, server: Server, room: str, identity: str, **options: Any) -> dict[str, str]:
        minted = token(server, room, identity)
        joined: dict[str, str] = await self.run(
            f"join({json.dumps(server.url)}, {json.dumps(minted)}, {json.dumps(options)})"
        )
        return joined

    async def play(self, hz: float) -> None:
        await self.run(f"play({hz})")

    async def enter(self, url: str, token: str) -> None:
        """As `join`, with a token that somebody else has made, and with a mouth."""
        await self.run(f"join({json.dumps(url)}, {json.dumps(token)}, {{}})")
        await self.run("openMouth()")

    async def speak(self, wav: bytes) -> None:
        """Into the microphone; returns when it has been said. Other pages of the browser speak meanwhile."""
        await self.run(f"(window.saying = speak({json.dumps(base64.b64encode(wav).decode())}), null)")
        while not await self.run("Promise.race([saying.then(() => true), new Promise((r) => setTimeout(r, 50))])"):
            pass

    async def hears(self, identity: str, hz: float, seconds: float = 15.0) -> None:
        until = asyncio.get_running_loop().time() + seconds
        heard: Any = None
        while asyncio.get_running_loop().time() < until:
            heard = await self.run(f"heard({json.dumps(identity)})")
            if heard and abs(heard["hz"] - hz) < PEAK_HZ and (heard["db"] or -999) > AUDIBLE_DB:
                return
            await asyncio.sleep(0.05)
        raise NeverHappened(f"the browser wanted {hz} Hz from {identity} and heard {heard}")

    async def saw(self, event: str, about: str | None = None, seconds: float = 15.0) -> None:
        seen: list[list[str]] = []

        async def look() -> None:
            while not any(name == event and (about is None or about in what.split(",")) for name, what in seen):
                seen[:] = await self.run("happened")
                await asyncio.sleep(0.05)

        try:
            await within("", look(), seconds)
        except NeverHappened:
            raise NeverHappened(f"the browser never saw {event} {about or ''}, only {seen}") from None

    async def got(self, what: str, expected: list[str]) -> None:
        """Waits for a data message (`messages`) or a text (`texts`) from somebody."""
        seen: list[list[str]] = []

        async def look() -> None:
            while expected not in seen:
                seen[:] = await self.run(what)
                await asyncio.sleep(0.05)

        try:
            await within("", look())
        except NeverHappened:
            raise NeverHappened(f"no {expected} among the browser's {what}, only {seen}") from None


@contextlib.asynccontextmanager
async def site() -> AsyncIterator[str]:
    """Browsers give microphones only to pages of a secure origin, and 127.0.0.1 is one."""
    application = web.Application()
    application.router.add_static("/clients/", CLIENTS / "node_modules")

    async def page(request: web.Request) -> web.FileResponse:
        return web.FileResponse(CLIENTS / "page.html")

    application.router.add_get("/clients-page", page)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    skip_without_node()
    async with site() as address:
        process = await asyncio.create_subprocess_exec(
            "node",
            str(CLIENTS / "browser.mjs"),
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
            yield Browser(process, address)
        finally:
            process.stdin.close()
            try:
                await within("the browser has stopped", process.wait())
            except NeverHappened:
                process.kill()
                await process.wait()
