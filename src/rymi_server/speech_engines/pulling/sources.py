"""Where each engine's models come from, and what they must be: asked of the lists that their makers publish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rymi_server.speech_engines.naming import EngineName
from rymi_server.speech_engines.pulling.errors import NothingToPull

# A list at this address, as JSON. Raise `PullFailed`.
Ask = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Sites:
    vosk: str = "https://alphacephei.com/vosk/models"
    huggingface: str = "https://huggingface.co"
    github: str = "https://api.github.com"


@dataclass(frozen=True, slots=True)
class Digest:
    """`git` is the SHA-1 of a blob, as git counts it."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A file to fetch. An archive is unpacked, without the folder that is its only content."""

    url: str
    name: str
    size: int | None
    digest: Digest | None
    archive: bool = False


_WHISPER_FILES: Final = ("config.json", "model.bin", "tokenizer.json", "vocabulary.", "preprocessor_config.json")
_SHERPA_RELEASE: Final = "repos/k2-fsa/sherpa-onnx/releases/tags/asr-models"


def pieces_of(name: EngineName, ask: Ask, sites: Sites) -> list[Piece]:
    """Of a local engine. Raise `NothingToPull` where there is no such model."""
    pieces = _SOURCES[name.engine](name.model, ask, sites)
    if not pieces:
        raise NothingToPull(f"{name}: its makers list no such model.")
    return pieces


def _vosk(model: str, ask: Ask, sites: Sites) -> list[Piece]:
    """A model's own name, or a language: the small one of that language."""
    listed = ask(f"{sites.vosk}/model-list.json")
    for entry in listed:
        small = entry.get("lang") == model and entry.get("type") == "small" and str(entry.get("obsolete")) != "true"
        if entry.get("name") == model or small:
            digest = Digest("md5", str(entry["md5"]))
            return [Piece(str(entry["url"]), f"{entry['name']}.zip", int(entry["size"]), digest, archive=True)]
    return []


def _piper(model: str, ask: Ask, sites: Sites) -> list[Piece]:
    root = f"{sites.huggingface}/rhasspy/piper-voices/resolve/main"
    files: Mapping[str, Any] = ask(f"{root}/voices.json").get(model, {}).get("files", {})
    return [
        Piece(
            f"{root}/{path}", path.rpartition("/")[2], int(file["size_bytes"]), Digest("md5", str(file["md5_digest"]))
        )
        for path, file in files.items()
        if path.endswith((".onnx", ".onnx.json"))
    ]


def _whisper(model: str, ask: Ask, sites: Sites) -> list[Piece]:
    """`small.en` is Systran's; `owner/repository` is anybody's."""
    repository = model if "/" in model else f"Systran/faster-whisper-{model}"
    listed = ask(f"{sites.huggingface}/api/models/{repository}/tree/main")
    return [
        Piece(
            f"{sites.huggingface}/{repository}/resolve/main/{file['path']}",
            str(file["path"]),
            int(file["size"]),
            Digest("sha256", str(file["lfs"]["oid"])) if file.get("lfs") else Digest("git", str(file["oid"])),
        )
        for file in listed
        if file.get("type") == "file" and str(file.get("path", "")).startswith(_WHISPER_FILES)
    ]


def _sherpa(model: str, ask: Ask, sites: Sites) -> list[Piece]:
    listed = ask(f"{sites.github}/{_SHERPA_RELEASE}")
    for asset in listed.get("assets", []):
        if asset.get("name") == f"{model}.tar.bz2":
            kind, _, value = str(asset.get("digest") or "").partition(":")
            digest = Digest(kind, value) if value else None
            return [Piece(str(asset["browser_download_url"]), asset["name"], int(asset["size"]), digest, archive=True)]
    return []


_SOURCES: Final = {"vosk": _vosk, "piper": _piper, "faster-whisper": _whisper, "sherpa": _sherpa}
