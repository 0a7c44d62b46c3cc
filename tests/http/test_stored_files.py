"""Links to recordings in a local folder."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from tests.support.asking import SECRET, client_for
from tests.support.clocks import SetClock

from rymi_server.foundation.database import Database
from rymi_server.foundation.object_storage import Links, ObjectStorage, open_storage

KEY = "recordings/acme/call-1/run-0.wav"
SOUND = bytes(range(256)) * 40


@pytest.fixture
def clock() -> SetClock:
    return SetClock.from_now()


@pytest.fixture
async def storage(tmp_path: Path, clock: SetClock) -> ObjectStorage:
    storage = open_storage((tmp_path / "store").as_uri(), Links.from_text("http://api.test", SECRET, clock))
    (tmp_path / "x").write_bytes(SOUND)
    await storage.put_file(KEY, tmp_path / "x", "audio/wav")
    return storage


@pytest.fixture
def browser(database: Database, tmp_path: Path, clock: SetClock) -> httpx.AsyncClient:
    store = (tmp_path / "store").as_uri()
    return client_for(database, clock, storage_url=store, public_base_url="http://api.test")


class TestALink:
    async def test_is_answered_without_a_key(self, browser: httpx.AsyncClient, storage: ObjectStorage) -> None:
        answer = await browser.get(storage.link(KEY, timedelta(hours=1)))
        assert answer.status_code == 200
        assert answer.content == SOUND
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer.headers["Cache-Control"]

    async def test_is_answered_in_ranges(self, browser: httpx.AsyncClient, storage: ObjectStorage) -> None:
        link = storage.link(KEY, timedelta(hours=1))
        for asked, status, content in (
            ("bytes=0-9", 206, SOUND[:10]),
            ("bytes=100-", 206, SOUND[100:]),
            ("bytes=-7", 206, SOUND[-7:]),
        ):
            answer = await browser.get(link, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (status, content)
        beyond = await browser.get(link, headers={"Range": f"bytes={len(SOUND)}-"})
        assert beyond.status_code == 416
        assert beyond.headers["Content-Range"] in (f"bytes */{len(SOUND)}", f"*/{len(SOUND)}")

    async def test_is_answered_to_head(self, browser: httpx.AsyncClient, storage: ObjectStorage) -> None:
        answer = await browser.head(storage.link(KEY, timedelta(hours=1)))
        assert answer.status_code == 200
        assert answer.headers["Content-Length"] == str(len(SOUND))

    async def test_that_has_expired_says_so(
        self, browser: httpx.AsyncClient, storage: ObjectStorage, clock: SetClock
    ) -> None:
        link = storage.link(KEY, timedelta(minutes=1))
        clock.pass_by(minutes=1)
        answer = await browser.get(link)
        assert (answer.status_code, answer.json()["code"]) == (403, "link_expired")

    async def test_to_what_is_gone_is_not_found(self, browser: httpx.AsyncClient, storage: ObjectStorage) -> None:
        link = storage.link(KEY, timedelta(hours=1))
        await storage.delete(KEY)
        answer = await browser.get(link)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        "path",
        [
            *(f"/{KEY}", f"/{KEY}?exp=99999999999&sig=0", f"/{KEY}?exp=1&exp=2&sig=x&sig=y", "/recordings/"),
            *("/recordings/../../etc/passwd", "/recordings/..%2f..%2fetc%2fpasswd", "/recordings/%00?exp=1&sig=x"),
            *(f"/{KEY}?exp={'9' * 500}&sig=x", f"/{KEY}?exp=%C3%A4&sig=%C3%A4"),
        ],
    )
    async def test_that_nobody_made_opens_nothing(
        self, browser: httpx.AsyncClient, storage: ObjectStorage, path: str
    ) -> None:
        answer = await browser.get(path)
        assert answer.status_code in (403, 404)
        assert SOUND not in answer.content

    async def test_to_a_path_that_was_signed_by_mistake_leads_nowhere(
        self, browser: httpx.AsyncClient, storage: ObjectStorage, clock: SetClock
    ) -> None:
        link = Links.from_text("", SECRET, clock).make("recordings/../../../etc/passwd", timedelta(hours=1))
        answer = await browser.get(link.replace("..", "%2e%2e"))
        assert answer.status_code in (400, 403, 404)
