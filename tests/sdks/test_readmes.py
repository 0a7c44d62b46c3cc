"""What the READMEs, the examples and the pages before them show, run as it is printed."""

import asyncio
import json
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from tests.roomlet.people import token
from tests.roomlet.running import Running, roomlet
from tests.sdks import seeds
from tests.sdks.agents import scripted_agent
from tests.sdks.browsing import Browser, browsing
from tests.sdks.building import SDKS, Project
from tests.sdks.site import site
from tests.sdks.test_node import environment
from tests.support.up import Up
from tests.support.waiting import wait_for

from rymi_server.entrypoints.secrets_file import secrets_of

SHOWN = re.compile(r"```typescript\n(.*?)```", re.DOTALL)
NODE_SNIPPETS = SHOWN.findall((SDKS / "node" / "README.md").read_text())
WEBHOOK_SECRET = "a-secret-for-webhooks"
LOG = "window.logged = []; console.log = (...all) => logged.push(all.join(' '));"


@dataclass(frozen=True)
class Rooms:
    """Those of an installation."""

    url: str
    key: str
    secret: str


def rooms_of(up: Up) -> Rooms:
    kept = secrets_of(up.folder).read()
    return Rooms(f"ws://127.0.0.1:{up.rooms_port}", kept["LIVEKIT_API_KEY"], kept["LIVEKIT_API_SECRET"])


def newest_call(up: Up) -> str:
    """The name of its room."""
    with up.customer() as customer:
        name: str = customer.get("/v1/calls?limit=1").json()["calls"][0]["room_name"]
    return name


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as running:
        yield running


@pytest.fixture(scope="module")
async def rooms() -> AsyncIterator[Running]:
    async with roomlet() as running:
        yield running


class TestWhatIsShownForNode:
    @pytest.mark.parametrize("number", range(len(NODE_SNIPPETS)))
    def test_runs(self, number: int, project: Project, up: Up) -> None:
        """Only the id of the agent is filled in, as whoever copies it must."""
        snippet = NODE_SNIPPETS[number].replace("your-agent-id", up.agent())
        script = project.bundle(snippet, f"shown-{number}", "--platform=node", "--packages=external")
        said = project.node(script, **environment(up))
        if NODE_SNIPPETS[number] == seeds.NODE:
            assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", said)


class TestWhatIsShownForTheWeb:
    @pytest.mark.parametrize("name", ["WEB_FROM_BACKEND", "WEB_FROM_CALLS", "WEB_FROM_TOKENS"])
    async def test_runs(self, name: str, project: Project, rooms: Running, browser: Browser) -> None:
        room = f"call_{name}"
        given = json.dumps({"url": rooms.url, "token": token(rooms, room, "visitor")})
        around = {
            "WEB_FROM_BACKEND": f"const fetchFromYourBackend = async () => ({given});",
            "WEB_FROM_CALLS": f"const response = {{ participants: [{{ access: {given} }}] }};",
            "WEB_FROM_TOKENS": f"const {{ url: serverUrl, token: clientToken }} = {given};",
        }[name]
        bundle = project.bundle(getattr(seeds, name), f"shown-{name}")
        page = f'<script>{LOG} {around}</script><script type="module" src="/shown.mjs"></script>'
        async with scripted_agent(rooms, room) as agent, site(project, {"/": page, "/shown.mjs": bundle}) as address:
            opened = await browser.open(address)
            await agent.person.saw("joined", "visitor")
            if name == "WEB_FROM_BACKEND":
                await agent.says("Hello!", segment="1")
                await agent.understands("visitor", "Good morning", segment="2", final=True)
                await opened.until("logged.includes('agent: Hello!') && logged.includes('user: Good morning')")
            else:
                await opened.until("logged.includes('Connected')")
            await opened.close()


class TestTheElement:
    @pytest.fixture
    async def page(self, project: Project, up: Up) -> AsyncIterator[str]:
        """Of another origin than the API, with a strict content security policy."""
        with up.customer() as customer:
            made = customer.post("/v1/keys/publishable", json={"agent_id": up.agent(), "label": "element"}).json()
        policy = "<meta http-equiv='Content-Security-Policy' content=\"style-src 'self'; script-src 'self'\">"
        element = f'<rymi-call publishable-key="{made["key"]}" base-url="{up.url}" label="Talk to Mia"></rymi-call>'
        wrong = element.replace(made["key"], "sb_publishable_wrong")
        line = '<!doctype html>{}<script src="/rymi.js"></script>{}'
        pages: dict[str, str | Path] = {"/": line.format(policy, element), "/wrong": line.format(policy, wrong)}
        async with site(project, pages) as address:
            yield address

    async def test_is_a_call_in_one_line(self, page: str, up: Up, browser: Browser) -> None:
        opened = await browser.open(page, viewport={"width": 340, "height": 640})
        inside = "document.querySelector('rymi-call').shadowRoot"
        assert await opened.run(f"{inside}.querySelector('.go').textContent") == "Talk to Mia"
        # By keyboard alone.
        await opened.press("Tab")
        await opened.press("Enter")
        await opened.until(f"{inside}.querySelector('.s').textContent === 'Connected'")
        async with scripted_agent(rooms_of(up), newest_call(up)) as agent:
            await opened.until(f"{inside}.querySelector('.s').textContent === 'Listening'")
            await agent.says("Hello!", segment="1")
            await opened.until(f"{inside}.querySelector('li.agent')?.textContent === 'Hello!'")
            assert await opened.run("document.documentElement.scrollWidth <= innerWidth"), "it is wider than a phone"
            await opened.do("click", "rymi-call .m")
            await opened.until(f"{inside}.querySelector('.m').getAttribute('aria-pressed') === 'true'")
            await opened.press("Escape")
            await opened.until(f"!{inside}.querySelector('.go').hidden")
        assert await opened.run(f"{inside}.activeElement?.className") == "go"
        assert await browser.problems() == []
        await opened.close()

    async def test_says_what_is_wrong(self, page: str, browser: Browser) -> None:
        opened = await browser.open(f"{page}/wrong")
        await opened.do("click", "rymi-call .go")
        await opened.until("document.querySelector('rymi-call').shadowRoot.querySelector('.e').textContent !== ''")
        said = await opened.run("document.querySelector('rymi-call').shadowRoot.querySelector('.e').textContent")
        assert "key" in said
        await browser.problems()  # The browser notes that it was refused.
        await opened.close()


@contextmanager
def example_server(project: Project, up: Up) -> Iterator[str]:
    for name in ("server.mjs", "page.html"):
        project.write(name, (SDKS / "examples" / name).read_text())
    said = project.folder / "server.log"
    with said.open("w") as output:
        process = subprocess.Popen(
            ["node", "server.mjs"],
            cwd=project.folder,
            env={
                **up.environment,
                **environment(up),
                "RYMI_AGENT": up.agent(),
                "RYMI_WEBHOOK_SECRET": WEBHOOK_SECRET,
                "PORT": "0",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for("the example listens", lambda: "http://" in said.read_text(), seconds=20)
        yield said.read_text().split()[0]
    finally:
        process.terminate()
        process.wait(10)


class TestTheExamples:
    def test_create_calls_and_believe_only_what_is_signed(self, project: Project, up: Up) -> None:
        raw = '{"type":"call.completed","event":"call.completed","timestamp":"","data":{"call_id":"c1"}}'
        now = str(int(time.time() * 1000))
        signer = "const { sign } = require('@rymi/node'); console.log(sign(...process.argv.slice(2)))"
        script = project.write("sign.cjs", signer)
        signed = subprocess.run(
            ["node", script, raw, now, WEBHOOK_SECRET], capture_output=True, text=True, check=True
        ).stdout.strip()
        headers = {"X-Rymi-Signature": signed, "X-Rymi-Timestamp": now}
        with example_server(project, up) as address, httpx.Client(base_url=address) as client:
            access = client.post("/calls").json()
            assert access.keys() == {"url", "token"}
            assert client.post("/webhooks", content=raw, headers=headers).status_code == 204
            refused = client.post("/webhooks", content=raw + " ", headers=headers)
            assert (refused.status_code, refused.json()) == (400, {"code": "signature_mismatch"})
            assert client.post("/webhooks", content=raw).json() == {"code": "signature_missing"}
            assert client.get("/nowhere").status_code == 404

    async def test_are_a_page_that_talks_to_an_agent(self, project: Project, up: Up, browser: Browser) -> None:
        with example_server(project, up) as address:
            page = await browser.open(address)
            await page.do("click", "#talk")
            await page.until("document.querySelector('#state').textContent === 'Connected'")
            room = await asyncio.to_thread(newest_call, up)
            async with scripted_agent(rooms_of(up), room) as agent:
                await agent.says("Hello!", segment="1")
                await page.until("document.querySelector('#lines').textContent === 'Agent: Hello!'")
                await page.do("click", "#talk")
                await page.until("document.querySelector('#state').textContent === 'The call has ended'")
            await page.close()
