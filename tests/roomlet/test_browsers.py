"""livekit-client in Chromium: two generations, one peer connection and two. Runs against any LiveKit server."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from livekit import rtc
from tests.roomlet.browsers import Browser, Page, chromium
from tests.roomlet.people import NEWS_SECONDS, Gather, Server
from tests.roomlet.waiting import eventually, within

pytestmark = pytest.mark.xdist_group("roomlet-browsers")
NEWEST, OLDER = "livekit-client", "livekit-client-v1"
Tab = Callable[..., Awaitable[Page]]
STYLES = [
    pytest.param(NEWEST, {}, id="newest with one peer connection"),
    pytest.param(NEWEST, {"singlePeerConnection": False}, id="newest with two peer connections"),
    pytest.param(OLDER, {}, id="an older major"),
]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """Opens a tab with a library; all are closed in the end, since a crowd of them slows each other down."""
    pages: list[Page] = []

    async def open_page(library: str = NEWEST) -> Page:
        pages.append(await browser.open(library))
        return pages[-1]

    yield open_page
    for page in pages:
        await page.close()


@pytest.mark.parametrize(("library", "options"), STYLES)
class TestEveryStyle:
    async def test_a_browser_hears_and_is_heard(
        self, library: str, options: dict[str, bool], tab: Tab, livekit: Server, room: str, come: Gather
    ) -> None:
        ann = await come("ann")
        await ann.play(440)
        web = await tab(library)
        await web.join(livekit, room, "web", **options)
        await web.play(703)
        await web.hears("ann", 440)
        await ann.hears("web", 703)
        await web.saw("Speaking", "ann")

    async def test_data_goes_both_ways_and_a_departure_is_seen(
        self, library: str, options: dict[str, bool], tab: Tab, livekit: Server, room: str, come: Gather
    ) -> None:
        ann = await come("ann")
        web = await tab(library)
        await web.join(livekit, room, "web", **options)
        await web.run("write('from the browser')")
        assert (await within("the browser's message", ann.data.get())).data == b"from the browser"
        await ann.room.local_participant.publish_data(b"from python")
        await web.got("messages", ["ann", "from python"])
        await ann.saw("joined", "web")
        await web.run("room.disconnect()")
        await ann.saw("left", "web", seconds=NEWS_SECONDS)


async def test_both_styles_are_what_they_say(tab: Tab, livekit: Server, room: str) -> None:
    single, dual = await tab(), await tab()
    assert (await single.join(livekit, room, "single"))["mode"] == "publisher-only"
    assert (await dual.join(livekit, room, "dual", singlePeerConnection=False))["mode"] != "publisher-only"


async def test_browsers_of_all_styles_hear_each_other(tab: Tab, livekit: Server, room: str) -> None:
    people = {
        "single": ({}, NEWEST, 410),
        "dual": ({"singlePeerConnection": False}, NEWEST, 820),
        "old": ({}, OLDER, 1290),
    }
    pages = {}
    for identity, (options, library, hz) in people.items():
        pages[identity] = await tab(library)
        await pages[identity].join(livekit, room, identity, **options)
        await pages[identity].play(hz)
    for listener, page in pages.items():
        for identity, (_, _, hz) in people.items():
            if identity != listener:
                await page.hears(identity, hz)


async def test_a_microphone_is_muted_and_unmuted(tab: Tab, livekit: Server, room: str, come: Gather) -> None:
    ann = await come("ann")
    web = await tab()
    await web.join(livekit, room, "web")
    await web.run("microphone()")
    await ann.saw_published("web")
    await web.run("room.localParticipant.setMicrophoneEnabled(false).then(() => null)")
    await ann.saw("muted", "web")
    await web.run("room.localParticipant.setMicrophoneEnabled(true).then(() => null)")
    await ann.saw("unmuted", "web")


async def test_texts_go_both_ways(tab: Tab, livekit: Server, room: str, come: Gather) -> None:
    ann = await come("ann")
    web = await tab()
    await web.join(livekit, room, "web")
    await web.run("room.localParticipant.sendText('hello from the browser', {topic: 'chat'})")
    assert await within("the browser's text", ann.texts.get()) == ("web", "hello from the browser")
    await ann.room.local_participant.send_text("hello from python", topic="chat")
    await web.got("texts", ["ann", "hello from python"])


@pytest.mark.parametrize("options", [{}, {"singlePeerConnection": False}], ids=["one connection", "two connections"])
async def test_single_layer_video_is_passed_on(
    options: dict[str, bool], tab: Tab, livekit: Server, room: str, come: Gather
) -> None:
    ann = await come("ann")
    web = await tab()
    await web.join(livekit, room, "web", **options)
    size = "{resolution: {width: 320, height: 180}}"
    one_layer = "{simulcast: false, videoCodec: 'vp8'}"
    await web.run(f"room.localParticipant.setCameraEnabled(true, {size}, {one_layer}).then(() => null)")
    await eventually("ann is subscribed to web's camera", lambda: "web" in ann.tracks(), 15)
    stream = rtc.VideoStream(ann.tracks()["web"])
    frame = (await within("a picture", anext(aiter(stream)))).frame
    assert (frame.width, frame.height) == (320, 180)
    await stream.aclose()
