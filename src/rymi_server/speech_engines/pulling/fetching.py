"""Fetches a model into the models' folder. It appears there at once when it is whole, and never in part."""

import hashlib
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from rymi_server.speech_engines.models import model_files, place_of
from rymi_server.speech_engines.naming import EngineName, Place
from rymi_server.speech_engines.pulling.errors import NothingToPull, PullFailed
from rymi_server.speech_engines.pulling.sources import Digest, Piece, Sites, pieces_of

# The name of the file, how many bytes of it are here, and how many there will be.
Progress = Callable[[str, int, int | None], None]

_BLOCK: Final = 1 << 18
# Debian 12 has Python 3.11.2, whose archives are not filtered yet.
HAS_FILTERS: Final = hasattr(tarfile, "data_filter")
_PATIENCE: Final = httpx.Timeout(30.0)


def pull(name: EngineName, folder: Path, http: httpx.Client, progress: Progress, sites: Sites | None = None) -> Path:
    """Where the model is now; it is not fetched again. Raise `NothingToPull`, `PullFailed`."""
    place = place_of(folder, name)
    if name.entry.place is not Place.LOCAL:
        raise NothingToPull(f"{name}: {name.entry.label} has no models to pull.")
    if Path(name.model).is_absolute():
        raise NothingToPull(f"{name}: that is a folder of your own; there is nothing to pull.")
    if model_files(folder, name) is not None:
        return place

    def ask(url: str) -> Any:
        return _asked(http, url, place)

    pieces = pieces_of(name, ask, sites or Sites())
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pulling-", dir=place.parent) as temporary:
            made = Path(temporary) / "model"
            made.mkdir()
            for piece in pieces:
                _fetch(piece, Path(temporary), made, http, progress, place)
            _put(made, place)
    except OSError as error:
        raise PullFailed(f"{place.parent} cannot be written to: {error.strerror or error}.", retryable=False) from error
    if model_files(folder, name) is None:
        shutil.rmtree(place, ignore_errors=True)
        raise PullFailed(f"{name}: what came is no model of {name.entry.label}.", retryable=False)
    return place


def _asked(http: httpx.Client, url: str, place: Path) -> Any:
    try:
        answer = http.get(url, timeout=_PATIENCE, follow_redirects=True)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NothingToPull(f"Its makers list no such model: there is nothing at {url}.")
        answer.raise_for_status()
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise _unreachable(url, place, error) from error


def _fetch(piece: Piece, temporary: Path, made: Path, http: httpx.Client, progress: Progress, place: Path) -> None:
    file = (temporary if piece.archive else made) / Path(piece.name).name
    digest = _hash(piece)
    here = 0
    try:
        with http.stream("GET", piece.url, timeout=_PATIENCE, follow_redirects=True) as answer, file.open("wb") as out:
            answer.raise_for_status()
            for block in answer.iter_bytes(_BLOCK):
                here += len(block)
                if piece.size is not None and here > piece.size:
                    break
                out.write(block)
                digest.update(block)
                progress(piece.name, here, piece.size)
    except httpx.HTTPError as error:
        raise _unreachable(piece.url, place, error) from error
    if piece.size is not None and here != piece.size:
        raise PullFailed(f"{piece.name} has {here:,} bytes where its makers list {piece.size:,}.")
    if piece.digest is not None and digest.hexdigest() != piece.digest.value.lower():
        raise PullFailed(f"{piece.name} is not what its makers list: its {piece.digest.kind} checksum differs.")
    if piece.archive:
        _unpack(file, made)
        file.unlink()


def _hash(piece: Piece) -> Any:
    digest = piece.digest or Digest("sha256", "")
    if digest.kind == "git":
        return hashlib.sha1(b"blob %d\0" % (piece.size or 0), usedforsecurity=False)
    try:
        return hashlib.new(digest.kind, usedforsecurity=False)
    except ValueError as error:
        raise PullFailed(f"{piece.name} has a checksum of a kind that is not known: {digest.kind}.") from error


def _unpack(archive: Path, made: Path) -> None:
    """Nothing in the archive may lie outside of it."""
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                _refuse_outside(archive, packed.namelist())
                packed.extractall(made)  # noqa: S202 - its names have just been looked at
        else:
            with tarfile.open(archive) as packed_tar:
                _unpack_tar(archive, packed_tar, made)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise PullFailed(f"{archive.name} cannot be unpacked: {error}", retryable=False) from error


def _unpack_tar(archive: Path, packed: tarfile.TarFile, made: Path) -> None:
    if HAS_FILTERS:
        packed.extractall(made, filter="data")
        return
    members = packed.getmembers()
    _refuse_outside(archive, [member.name for member in members])
    if not all(member.isfile() or member.isdir() for member in members):
        raise PullFailed(f"{archive.name} holds more than files and folders.", retryable=False)
    packed.extractall(made, members)  # noqa: S202 - all of them have just been looked at


def _refuse_outside(archive: Path, names: Sequence[str]) -> None:
    if any(name.startswith("/") or ".." in Path(name).parts for name in names):
        raise PullFailed(f"{archive.name} would write outside of its folder.", retryable=False)


def _put(made: Path, place: Path) -> None:
    """Of an archive whose only content is a folder, that folder."""
    inside = list(made.iterdir())
    whole = inside[0] if len(inside) == 1 and inside[0].is_dir() else made
    if place.exists():
        shutil.rmtree(place)
    whole.replace(place)


def _unreachable(url: str, place: Path, error: Exception) -> PullFailed:
    said = str(error) or type(error).__name__
    return PullFailed(
        f"{url} cannot be had: {said}. Without a network, fetch the model on another machine and put it into {place}."
    )
