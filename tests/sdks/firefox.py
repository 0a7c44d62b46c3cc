"""Web pages in headless Firefox, driven by what it brings along for that: WebDriver BiDi on a socket of its own."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse
from tests.roomlet.waiting import NeverHappened, eventually, within

NAMED = "RYMI_TEST_FIREFOX"
HUM_HZ = 600
PLAYS, PLAYS_ONCE_TOUCHED = 0, 1
PREFERENCES = {
    # A microphone that hums, and that nobody is asked for.
    "media.navigator.streams.fake": True,
    "media.navigator.audio.fake_frequency": HUM_HZ,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": PLAYS,
    "media.autoplay.blocking_policy": 0,
    # A sound card where the machine has none.
    "media.cubeb.force_mock_context": True,
    # It may connect to this machine's own addresses.
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    # Nothing that Firefox asks of the world at a start.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.enabled": False,
}


def find_firefox() -> str:
    """One that the environment names, or the system's. Skips where there is none."""
    found = os.environ.get(NAMED) or shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        pytest.skip(f"no Firefox here: `apt-get install firefox-esr`, or name one in {NAMED}")
    return found


@dataclass
class Firefox:
    """One page."""

    socket: ClientWebSocketResponse
    version: str = ""
    _page: str = ""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def begin(self) -> None:
        begun = await self._ask("session.new", capabilities={})
        self.version = begun["capabilities"]["browserVersion"]
        self._page = (await self._ask("browsingContext.getTree"))["contexts"][0]["context"]

    async def open(self, url: str) -> None:
        await self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    async def run(self, expression: str) -> Any:
        """What it is on the page, as JSON says it."""
        source = f"Promise.resolve(({expression})).then((found) => JSON.stringify(found ?? null))"
        said = await self._ask("script.evaluate", expression=source, target={"context": self._page}, awaitPromise=True)
        assert said["type"] == "success", said["exceptionDetails"]["text"]
        return json.loads(said["result"]["value"])

    async def touch(self) -> None:
        """In the middle of nowhere, as a person does."""
        pointer = [{"type": "pointerMove", "x": 5, "y": 5}, {"type": "pointerDown", "button": 0}]
        actions = [{"type": "pointer", "id": "finger", "actions": [*pointer, {"type": "pointerUp", "button": 0}]}]
        await self._ask("input.performActions", context=self._page, actions=actions)

    async def until(self, condition: str, seconds: float = 30) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not await self.run(condition):
            if asyncio.get_running_loop().time() > end:
                raise NeverHappened(f"never was: {condition}; {await self.run('window.seen')}")
            await asyncio.sleep(0.05)

    async def _ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            said = json.loads(await within(f"Firefox answers {method}", self.socket.receive_str(), 60))
            if said.get("id") == number:
                assert said["type"] == "success", f"{method}: {said}"
                return said["result"]


@contextlib.asynccontextmanager
async def firefox(**preferences: int) -> AsyncIterator[Firefox]:
    """Preferences are named as Firefox names them, with `__` for a dot."""
    program = find_firefox()
    preferred = PREFERENCES | {name.replace("__", "."): value for name, value in preferences.items()}
    with tempfile.TemporaryDirectory(prefix="rymi-firefox-") as folder:
        profile = Path(folder)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferred.items()]
        (profile / "user.js").write_text("\n".join(lines))
        process = await asyncio.create_subprocess_exec(
            program,
            *("--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0", "about:blank"),
            env={**os.environ, "HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            where = profile / "WebDriverBiDiServer.json"
            await eventually("Firefox says where it listens", lambda: where.is_file() and where.stat().st_size, 60)
            at = json.loads(where.read_text())
            address = f"ws://{at['ws_host']}:{at['ws_port']}/session"
            async with ClientSession() as client, client.ws_connect(address, max_msg_size=0) as socket:
                running = Firefox(socket)
                await running.begin()
                yield running
        finally:
            process.terminate()
            await within("Firefox has stopped", process.wait(), 30)
