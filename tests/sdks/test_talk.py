"""`/talk` as people use it: a browser with a voice for a microphone, an installation, and a real agent."""

import os
import re
import shutil
import wave
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.agent import voices
from tests.sdks.browsing import Browser, Page, browsing
from tests.sdks.building import skip_without_node
from tests.support.up import Up

DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "deviceScaleFactor": 2,
    "isMobile": True,
    "hasTouch": True,
    "colorScheme": "dark",
}
IN_LOBBY = "document.body.dataset.scene === 'lobby'"
# What somebody said, and is shown to have said: by the class of the line.
SAID = "[...document.querySelectorAll('#lines .{}:not(.who):not(.draft)')].map((line) => line.textContent)"
# Where to look at what the tests saw. Nowhere, unless it is named.
SCREENSHOTS = os.environ.get("RYMI_TEST_SCREENSHOTS")


@dataclass(frozen=True)
class Talking:
    up: Up
    link: str


@pytest.fixture(scope="module")
def talking() -> Iterator[Talking]:
    """`rymi up`, and the link that it prints."""
    skip_without_node()
    up = Up(rooms=True, agents=True)
    up.start()
    try:
        up.wait_until_ready(seconds=120)
        printed = re.search(r"^http\S+/talk#\S+", up.output, re.MULTILINE)
        assert printed, up.output
        yield Talking(up, printed.group())
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who lets the agent greet them, answers, and then listens for a while."""
    said = np.concatenate([voices.silence(9), voices.spoken("I need a cleaning please"), voices.silence(25)])
    path = tmp_path_factory.mktemp("voice") / "caller.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(voices.RATE)
        file.writeframes(said.tobytes())
    return path


@pytest.fixture(scope="module")
async def browser(voice: Path) -> AsyncIterator[Browser]:
    async with browsing(voice) as running:
        yield running


async def enter(page: Page, name: str) -> None:
    await page.until(IN_LOBBY)
    await page.do("fill", "#name", name)
    await page.do("click", "#go")
    await page.until("document.body.dataset.scene === 'call'")


async def show(page: Page, name: str) -> None:
    if SCREENSHOTS:
        await page.do("screenshot", {"path": f"{SCREENSHOTS}/{name}.png"})


class TestTheTalkPage:
    @pytest.mark.parametrize(("size", "context"), [("desktop", DESKTOP), ("phone", PHONE)])
    async def test_holds_a_conversation(
        self, size: str, context: dict[str, Any], talking: Talking, browser: Browser
    ) -> None:
        page = await browser.open(talking.link, **context)
        await page.until(IN_LOBBY)
        await show(page, f"{size}-lobby")
        await enter(page, "Anna")
        # The greeting, what was understood of the voice, and the answer to it.
        await page.until(f"{SAID.format('agent')}.some((text) => text.includes('Harbour Dental'))", 90)
        await page.until("document.body.dataset.agent === 'listening'", 60)
        await page.until(f"{SAID.format('me')}.length >= 1", 90)
        before = await page.run(f"{SAID.format('agent')}.length")
        await page.until(f"{SAID.format('agent')}.length > {before} || {before} >= 2", 90)
        await show(page, f"{size}-call")
        assert await page.run("document.documentElement.scrollWidth <= innerWidth"), "it does not fit the width"
        await page.do("click", "#end")
        await page.until("document.body.dataset.scene === 'over'")
        await show(page, f"{size}-over")
        assert await browser.problems() == []
        await page.close()

    async def test_answers_what_is_typed_and_lets_a_second_browser_in(self, talking: Talking, browser: Browser) -> None:
        page = await browser.open(talking.link, **DESKTOP)
        await enter(page, "Anna")
        await page.until(f"{SAID.format('agent')}.length >= 1", 90)
        await page.do("click", "#invite")
        link = await page.run("document.querySelector('#link').value")
        await show(page, "desktop-invite")
        await page.press("Escape")
        guest = await browser.open(link, **PHONE)
        await guest.until(IN_LOBBY)
        await show(guest, "phone-invited")
        await enter(guest, "Ben")
        for each in (page, guest):
            await each.until("document.querySelectorAll('#people li').length === 2", 60)
        before = await page.run(f"{SAID.format('agent')}.length")
        await page.do("fill", "#text", "What does a cleaning cost?")
        await page.press("Enter")
        await page.until(f"{SAID.format('me')}.includes('What does a cleaning cost?')")
        await guest.until(f"{SAID.format('other')}.includes('What does a cleaning cost?')")
        await page.until(f"{SAID.format('agent')}.length > {before}", 90)
        await page.do("click", "#mute")
        await page.until("document.querySelector('#mute').getAttribute('aria-pressed') === 'true'")
        await page.do("click", "#keypad")
        await page.press("7")
        await page.until("document.querySelector('#pressed').textContent === '7'")
        await page.press("Escape")
        await show(page, "desktop-two")
        await guest.do("click", "#end")
        await page.until("document.querySelectorAll('#people li').length === 1")
        await page.do("click", "#end")
        await page.until("document.body.dataset.scene === 'over'")
        assert await browser.problems() == []
        for each in (page, guest):
            await each.close()
        late = await browser.open(link, **PHONE)
        await late.until(IN_LOBBY)
        await late.do("click", "#go")
        await late.until("document.querySelector('#alert').textContent.includes('This call is over')")
        await show(late, "phone-too-late")
        await late.close()
        await browser.problems()  # The browser notes the refusal.

    async def test_begins_one_call_at_a_double_click(self, talking: Talking, browser: Browser) -> None:
        page = await browser.open(talking.link, **DESKTOP)
        await enter(page, "Anna")
        await page.until("document.body.dataset.agent === 'listening'", 90)
        await page.do("click", "#end")
        await page.until("document.body.dataset.scene === 'over'")
        await page.do("dblclick", "#again")
        await page.until("document.body.dataset.agent === 'listening'", 90)
        await page.do("click", "#end")
        await page.until("document.body.dataset.scene === 'over'")
        begun = "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/talk/calls')).length"
        assert await page.run(begun) == 2
        assert await browser.problems() == []
        await page.close()

    async def test_says_what_is_wrong_with_a_link(self, talking: Talking, browser: Browser) -> None:
        for end, says in (("#nonsense", "does not open"), ("", "not complete")):
            page = await browser.open(f"{talking.up.url}/talk{end}")
            await page.until(IN_LOBBY)
            assert says in await page.do("textContent", "#title")
            assert not await page.run("document.querySelector('#start').checkVisibility()")
            await page.close()
        await browser.problems()  # The browser notes the refusal of the first.

    async def test_goes_on_without_a_microphone(self, talking: Talking) -> None:
        async with browsing(denies=True) as without:
            page = await without.open(talking.link, **PHONE)
            await enter(page, "Cleo")
            await page.until("document.querySelector('#alert').textContent.includes('microphone is not allowed')")
            await show(page, "phone-no-microphone")
            await page.until(f"{SAID.format('agent')}.length >= 1", 90)
            assert await without.problems() == []
