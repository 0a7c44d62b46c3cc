"""What every storage promises, held against a folder, moto's S3 and rclone's."""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tests.support.asking import SECRET
from tests.support.clocks import SetClock
from tests.support.storages import BUCKET, CREDENTIALS, free_port, moto, rclone

from rymi_server.foundation.object_storage import (
    BadKey,
    Links,
    NoSuchObject,
    ObjectStorage,
    StorageUnavailable,
    WrongStorageUrl,
    open_storage,
)
from rymi_server.foundation.object_storage.folder import FolderStorage
from rymi_server.foundation.object_storage.links import BadLink, LinkExpired

KEY = "recordings/acme/call-1/run-0.wav"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def moto_endpoint() -> Iterator[str]:
    with moto() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def rclone_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with rclone(tmp_path_factory.mktemp("rclone") / "buckets") as endpoint:
        yield endpoint


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def a_file(folder: Path, content: bytes) -> Path:
    path = folder / "recorded.wav"
    path.write_bytes(content)
    return path


async def content_of(storage: ObjectStorage, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in storage.read(key, start, end)])


class StoragePromises:
    """Inherited by the tests of every storage."""

    # rclone answers a range with the whole file (1.75), which we refuse to take for the range.
    has_ranges = True

    async def test_what_was_put_is_read_again(self, storage: ObjectStorage, tmp_path: Path) -> None:
        content = os.urandom(300_000)
        await storage.put_file(KEY, a_file(tmp_path, content), "audio/wav")
        assert await content_of(storage, KEY) == content
        assert await storage.size(KEY) == len(content)
        await storage.fetch(KEY, tmp_path / "fetched")
        assert (tmp_path / "fetched").read_bytes() == content

    async def test_what_is_put_again_replaces_it(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"first and longer"), "audio/wav")
        await storage.put_file(KEY, a_file(tmp_path, b"second"), "audio/wav")
        assert await content_of(storage, KEY) == b"second"

    async def test_an_empty_file_is_a_file(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b""), "audio/wav")
        assert await storage.size(KEY) == 0
        assert await content_of(storage, KEY) == b""

    async def test_a_range_is_read_without_the_rest(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"0123456789"), "audio/wav")
        if not self.has_ranges:
            with pytest.raises(StorageUnavailable):
                await content_of(storage, KEY, 2, 5)
            return
        assert await content_of(storage, KEY, 2, 5) == b"234"
        assert await content_of(storage, KEY, 7) == b"789"
        assert await content_of(storage, KEY, 7, 99) == b"789"

    async def test_what_is_not_there_is_said_not_to_be(self, storage: ObjectStorage, tmp_path: Path) -> None:
        assert await storage.size("recordings/nobody/none.wav") is None
        with pytest.raises(NoSuchObject):
            await content_of(storage, "recordings/nobody/none.wav")
        with pytest.raises(NoSuchObject):
            await storage.fetch("recordings/nobody/none.wav", tmp_path / "fetched")

    async def test_deleting_is_the_end_of_it_however_often(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")
        await storage.delete(KEY)
        await storage.delete(KEY)
        assert await storage.size(KEY) is None

    async def test_a_folder_is_listed_and_its_neighbour_is_not(self, storage: ObjectStorage, tmp_path: Path) -> None:
        for key in ("recordings/acme/a/1.wav", "recordings/acme/a/deep/2.wav", "recordings/acme/ab/3.wav"):
            await storage.put_file(key, a_file(tmp_path, b"x"), "audio/wav")
        below = await storage.keys_below("recordings/acme/a/")
        assert below == ["recordings/acme/a/1.wav", "recordings/acme/a/deep/2.wav"]
        assert await storage.keys_below("recordings/nobody/") == []

    @pytest.mark.parametrize(
        "key",
        [
            *(
                ".unfinished/x",
                "",
                "/",
                "/etc/passwd",
                "..",
                "../x",
                "a/../../x",
                "a/./b",
                "a//b",
                "a/",
                ".hidden",
                "a/.x",
            ),
            *("a\\b", "a\0b", "C:/x", "a/b\n", "ä", "a b", "~root", "-x", "a" * 600, "a/%2e%2e/b"),
        ],
    )
    async def test_a_key_that_leads_elsewhere_is_refused(
        self, storage: ObjectStorage, key: str, tmp_path: Path
    ) -> None:
        for asked in (storage.size(key), storage.delete(key), storage.fetch(key, tmp_path / "x")):
            with pytest.raises(BadKey):
                await asked
        with pytest.raises(BadKey):
            await storage.put_file(key, a_file(tmp_path, b"x"), "audio/wav")
        with pytest.raises(BadKey):
            await content_of(storage, key)
        with pytest.raises(BadKey):
            storage.link(key, HOUR)
        with pytest.raises(BadKey):
            await storage.keys_below(f"{key}/")


class TestAFolder(StoragePromises):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> ObjectStorage:
        return open_storage((tmp_path / "store").as_uri(), Links.from_text("http://api", SECRET, SetClock.from_now()))

    async def test_a_link_out_of_it_is_not_followed(self, storage: FolderStorage, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"not yours")
        storage.root.mkdir(parents=True)
        (storage.root / "recordings").symlink_to(tmp_path)
        with pytest.raises(BadKey):
            await content_of(storage, "recordings/secret")

    async def test_what_a_crash_left_half_written_is_no_file(self, storage: FolderStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")
        half = storage.root / ".unfinished" / "abc"
        half.write_bytes(b"half")
        assert await storage.keys_below("recordings/acme/") == [KEY]
        await storage.forget_unfinished(datetime.now(UTC) + timedelta(minutes=59))
        assert half.exists(), "somebody may still be writing it"
        await storage.forget_unfinished(datetime.now(UTC) + timedelta(minutes=61))
        assert not half.exists()
        assert await content_of(storage, KEY) == b"x"

    async def test_a_full_disk_is_an_error_that_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "store").write_bytes(b"a file where the folder should be")
        storage = open_storage((tmp_path / "store").as_uri())
        with pytest.raises(StorageUnavailable):
            await storage.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")

    async def test_no_link_is_made_without_the_secret(self, tmp_path: Path) -> None:
        with pytest.raises(StorageUnavailable):
            open_storage(tmp_path.as_uri()).link(KEY, HOUR)


class CloudPromises(StoragePromises):
    async def test_a_link_is_good_for_anybody_until_it_expires(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"sound"), "audio/wav")
        async with httpx.AsyncClient() as anybody:
            answer = await anybody.get(storage.link(KEY, HOUR))
        assert answer.content == b"sound"


@pytest.mark.usefixtures("credentials")
class TestMoto(CloudPromises):
    @pytest.fixture
    def storage(self, moto_endpoint: str, credentials: None) -> ObjectStorage:
        return open_storage(f"s3://{BUCKET}?endpoint={moto_endpoint}&region=us-east-1")

    async def test_a_large_file_goes_in_parts(self, storage: ObjectStorage, tmp_path: Path) -> None:
        content = os.urandom(20 * 1024 * 1024)
        await storage.put_file(KEY, a_file(tmp_path, content), "audio/wav")
        assert await content_of(storage, KEY) == content

    async def test_a_prefix_keeps_two_installations_apart(self, moto_endpoint: str, tmp_path: Path) -> None:
        one, other = (open_storage(f"s3://{BUCKET}/{name}?endpoint={moto_endpoint}") for name in ("one", "other"))
        await one.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")
        assert await other.size(KEY) is None
        assert await one.keys_below("recordings/") == [KEY]

    async def test_links_name_the_endpoint_that_browsers_reach(self, moto_endpoint: str) -> None:
        storage = open_storage(f"s3://{BUCKET}?endpoint={moto_endpoint}&public_endpoint=https://files.example.com")
        assert storage.link(KEY, HOUR).startswith(f"https://files.example.com/{BUCKET}/recordings/acme/")


@pytest.mark.usefixtures("credentials")
class TestRclone(CloudPromises):
    has_ranges = False

    @pytest.fixture
    def storage(self, rclone_endpoint: str, credentials: None) -> ObjectStorage:
        return open_storage(f"s3://{BUCKET}?endpoint={rclone_endpoint}&region=us-east-1")

    async def test_a_link_that_was_changed_opens_nothing(self, storage: ObjectStorage, tmp_path: Path) -> None:
        await storage.put_file(KEY, a_file(tmp_path, b"sound"), "audio/wav")
        link = storage.link(KEY, HOUR)
        async with httpx.AsyncClient() as anybody:
            assert (await anybody.get(link.replace("run-0", "run-1"))).status_code == 403
            assert (await anybody.get(link[:-1] + ("0" if link[-1] != "0" else "1"))).status_code == 403

    async def test_wrong_keys_are_said_to_be_wrong(
        self, rclone_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
        storage = open_storage(f"s3://{BUCKET}?endpoint={rclone_endpoint}&region=us-east-1")
        with pytest.raises(StorageUnavailable) as refused:
            await storage.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")
        assert not refused.value.retryable


@pytest.mark.usefixtures("credentials")
class TestAStorageThatIsAway:
    async def test_is_an_error_worth_trying_again(self, tmp_path: Path) -> None:
        storage = open_storage(f"s3://{BUCKET}?endpoint=http://127.0.0.1:{free_port()}&region=us-east-1")
        async with asyncio.timeout(60):
            with pytest.raises(StorageUnavailable) as refused:
                await storage.put_file(KEY, a_file(tmp_path, b"x"), "audio/wav")
        assert refused.value.retryable


class TestLinks:
    def test_end_when_they_say(self) -> None:
        clock = SetClock.from_now()
        links = Links.from_text("https://api.example.com/", SECRET, clock)
        url = httpx.URL(links.make(KEY, HOUR))
        assert str(url).startswith(f"https://api.example.com/{KEY}?")
        links.check(KEY, url.params["exp"], url.params["sig"])
        clock.pass_by(hours=1)
        with pytest.raises(LinkExpired):
            links.check(KEY, url.params["exp"], url.params["sig"])

    def test_are_good_for_nothing_else(self) -> None:
        links = Links.from_text("https://api.example.com", SECRET, SetClock.from_now())
        url = httpx.URL(links.make(KEY, HOUR))
        exp, sig = url.params["exp"], url.params["sig"]
        changed = [
            (KEY + "x", exp, sig),
            (KEY, str(int(exp) + 1), sig),
            (KEY, exp, sig[:-1]),
            (KEY, exp, ""),
            (KEY, "", sig),
        ]
        for key, expires, signature in [*changed, (KEY, exp, "ä" * 64)]:
            with pytest.raises(BadLink):
                links.check(key, expires, signature)

    def test_of_another_secret_are_not_ours(self) -> None:
        clock = SetClock.from_now()
        url = httpx.URL(Links.from_text("http://x", "another secret of enough characters", clock).make(KEY, HOUR))
        with pytest.raises(BadLink):
            Links.from_text("http://x", SECRET, clock).check(KEY, url.params["exp"], url.params["sig"])


class TestStorageUrls:
    @pytest.mark.parametrize(
        "url",
        [
            *("", "recordings", "/srv/x", "file:relative", "file://host/x", "s3://", "gs://bucket", "http://x/y"),
            *("s3://key:secret@bucket", "s3://bucket?endpiont=http://x"),
        ],
    )
    def test_that_name_no_storage_are_refused(self, url: str) -> None:
        with pytest.raises(WrongStorageUrl):
            open_storage(url)
