"""Fetching models ahead of time: `rymi speech pull`. The sites are stood in for; nothing here needs a network."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from rymi_server.speech_engines.models import model_files
from rymi_server.speech_engines.naming import parse
from rymi_server.speech_engines.pulling import fetching
from rymi_server.speech_engines.pulling.errors import NothingToPull, PullFailed
from rymi_server.speech_engines.pulling.fetching import pull

Answer = bytes | httpx.Response


def site(pages: dict[str, Answer]) -> httpx.Client:
    """Answers with these by the end of their address, and 404 otherwise."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = next((page for end, page in pages.items() if str(request.url).endswith(end)), None)
        if found is None:
            return httpx.Response(404)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, content=found)

    return httpx.Client(transport=httpx.MockTransport(answer))


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:bz2") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def sherpa(archive: bytes) -> dict[str, Answer]:
    asset = {
        "name": "zip-en.tar.bz2",
        "size": len(archive),
        "digest": f"sha256:{hashlib.sha256(archive).hexdigest()}",
        "browser_download_url": "https://g.test/a",
    }
    return {"asr-models": json.dumps({"assets": [asset]}).encode(), "g.test/a": archive}


def linked(name: str, to: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:bz2") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = tarfile.SYMTYPE, to
        archive.addfile(entry)
    return packed.getvalue()


def vosk(archive: bytes, **changed: object) -> dict[str, Answer]:
    entry = {
        "lang": "en-us",
        "name": "vosk-model-small-en-us-0.15",
        "type": "small",
        "obsolete": "false",
        "url": "https://vosk.test/small.zip",
        "size": len(archive),
        "md5": hashlib.md5(archive).hexdigest(),
        **changed,
    }
    return {"model-list.json": json.dumps([entry]).encode(), "small.zip": archive}


VOSK = zipped({"vosk-model-small-en-us-0.15/am/final.mdl": b"model", "vosk-model-small-en-us-0.15/README": b"x"})


def fetched(name: str, folder: Path, http: httpx.Client, seen: Callable[..., None] = lambda *_: None) -> Path:
    with http:
        return pull(parse(name), folder, http, seen)


class TestPulling:
    def test_unpacks_a_model_where_its_engine_looks(self, tmp_path: Path) -> None:
        seen: list[tuple[str, int, int | None]] = []
        place = fetched("vosk:en-us", tmp_path, site(vosk(VOSK)), lambda *progress: seen.append(progress))
        assert (place / "am" / "final.mdl").read_bytes() == b"model"
        assert model_files(tmp_path, parse("vosk:en-us")) is not None
        assert seen[-1] == ("vosk-model-small-en-us-0.15.zip", len(VOSK), len(VOSK))

    def test_fetches_nothing_that_is_here(self, tmp_path: Path) -> None:
        fetched("vosk:en-us", tmp_path, site(vosk(VOSK)))
        assert fetched("vosk:en-us", tmp_path, site({})) == tmp_path / "vosk" / "en-us"

    def test_takes_piper_s_two_files(self, tmp_path: Path) -> None:
        files = {"x/en_US-a-low.onnx": b"net", "x/en_US-a-low.onnx.json": b"{}", "x/MODEL_CARD": b"card"}
        listed = {
            path: {"size_bytes": len(content), "md5_digest": hashlib.md5(content).hexdigest()}
            for path, content in files.items()
        }
        pages: dict[str, Answer] = {"voices.json": json.dumps({"en_US-a-low": {"files": listed}}).encode(), **files}
        place = fetched("piper:en_US-a-low", tmp_path, site(pages))
        assert sorted(file.name for file in place.iterdir()) == ["en_US-a-low.onnx", "en_US-a-low.onnx.json"]

    def test_takes_whisper_s_files_by_either_checksum(self, tmp_path: Path) -> None:
        model, config = b"weights", b"{}"
        listed = [
            {
                "type": "file",
                "path": "model.bin",
                "size": 7,
                "oid": "x",
                "lfs": {"oid": hashlib.sha256(model).hexdigest()},
            },
            *(
                {"type": "file", "path": path, "size": 2, "oid": hashlib.sha1(b"blob 2\0{}").hexdigest()}
                for path in ("config.json", "tokenizer.json")
            ),
            {"type": "file", "path": "README.md", "size": 1, "oid": "x"},
        ]
        pages: dict[str, Answer] = {
            "faster-whisper-tiny.en/tree/main": json.dumps(listed).encode(),
            "resolve/main/model.bin": model,
            "resolve/main/config.json": config,
            "resolve/main/tokenizer.json": config,
        }
        place = fetched("faster-whisper:tiny.en", tmp_path, site(pages))
        assert (place / "model.bin").read_bytes() == model

    def test_takes_sherpa_s_archive(self, tmp_path: Path) -> None:
        names = ("tokens.txt", "encoder.int8.onnx", "decoder.onnx", "joiner.onnx")
        pages = sherpa(tarred({f"zip-en/{name}": b"x" for name in names}))
        place = fetched("sherpa:zip-en", tmp_path, site(pages))
        assert (place / "tokens.txt").is_file()


class TestWhatIsNotPulled:
    @pytest.mark.parametrize(
        ("changed", "why"),
        [({"md5": "0" * 32}, "checksum differs"), ({"size": 5}, "5"), ({"size": 10**6}, "1,000,000")],
    )
    def test_is_a_file_that_is_not_what_its_makers_list(
        self, tmp_path: Path, changed: dict[str, object], why: str
    ) -> None:
        with pytest.raises(PullFailed, match=why):
            fetched("vosk:en-us", tmp_path, site(vosk(VOSK, **changed)))
        assert list((tmp_path / "vosk").iterdir()) == []

    @pytest.mark.parametrize("name", ["../out", "/out", "a/../../out"])
    def test_is_an_archive_that_leads_elsewhere(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(PullFailed, match="outside"):
            fetched("vosk:en-us", tmp_path / "models", site(vosk(zipped({name: b"x"}))))
        assert not (tmp_path / "out").exists()

    @pytest.mark.filterwarnings("ignore:Python 3.14:DeprecationWarning")
    @pytest.mark.parametrize("filters", [fetching.HAS_FILTERS, False])
    @pytest.mark.parametrize(
        "archive",
        [tarred({"../out": b"x"}), tarred({"/out": b"x"}), tarred({"a/../../out": b"x"}), linked("a", "../../../out")],
    )
    def test_is_a_tar_archive_that_leads_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: bytes, filters: bool
    ) -> None:
        """Also where Python has no filters of its own."""
        monkeypatch.setattr(fetching, "HAS_FILTERS", filters)
        with pytest.raises(PullFailed):
            fetched("sherpa:zip-en", tmp_path / "models", site(sherpa(archive)))
        assert not (tmp_path / "out").exists()
        assert list((tmp_path / "models" / "sherpa").iterdir()) == []

    def test_is_an_archive_that_is_none(self, tmp_path: Path) -> None:
        with pytest.raises(PullFailed, match="cannot be unpacked"):
            fetched("vosk:en-us", tmp_path, site(vosk(b"<html>")))

    def test_is_something_that_is_no_model(self, tmp_path: Path) -> None:
        with pytest.raises(PullFailed, match="no model of Vosk"):
            fetched("vosk:en-us", tmp_path, site(vosk(zipped({"a/b": b"x"}))))
        assert list((tmp_path / "vosk").iterdir()) == []

    @pytest.mark.parametrize(
        "name", ["vosk:xx", "piper:xx", "sherpa:xx", "faster-whisper:xx", "pocketsphinx", "sherpa:/x"]
    )
    def test_is_what_nobody_offers(self, tmp_path: Path, name: str) -> None:
        pages: dict[str, Answer] = {"model-list.json": b"[]", "voices.json": b"{}", "asr-models": b"{}"}
        with pytest.raises(NothingToPull):
            fetched(name, tmp_path, site(pages))

    @pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200, content=b"<html>")])
    def test_is_anything_when_the_site_is_broken(self, tmp_path: Path, answer: httpx.Response) -> None:
        with pytest.raises(PullFailed, match=str(tmp_path)):
            fetched("vosk:en-us", tmp_path, site({"model-list.json": answer}))

    def test_is_anything_without_a_network(self, tmp_path: Path) -> None:
        def offline(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("name resolution failed", request=request)

        with pytest.raises(PullFailed, match="Without a network"):
            fetched("vosk:en-us", tmp_path, httpx.Client(transport=httpx.MockTransport(offline)))
