"""A storage that is a folder of this machine. Processes that are to share it run on this machine as well."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from rymi_server.foundation.object_storage.keys import BadKey, checked, checked_prefix
from rymi_server.foundation.object_storage.links import Links
from rymi_server.foundation.object_storage.promises import NoSuchObject, StorageUnavailable

_PIECE = 256 * 1024
# Named as no key can be, so that what a crash leaves half-written is never taken for a file.
_UNFINISHED = ".unfinished"
# A file that is being written grows all the time.
_ABANDONED_AFTER = timedelta(hours=1)


class FolderStorage:
    """Links can be made only where `links` are given: in the process that has the operator's secret."""

    def __init__(self, root: Path, links: Links | None = None) -> None:
        self.root = root.absolute()
        self.links = links

    async def put_file(self, key: str, path: Path, content_type: str) -> None:  # noqa: ARG002 - told by the name.
        target = self.path_of(key)
        await asyncio.to_thread(_copied, path, self.root / _UNFINISHED, target)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        file = await asyncio.to_thread(_opened, self.path_of(key), start)
        try:
            left = None if end is None else end - start
            while left is None or left > 0:
                piece = await asyncio.to_thread(file.read, _PIECE if left is None else min(_PIECE, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece
        except OSError as error:
            raise StorageUnavailable(_why(error)) from error
        finally:
            file.close()

    async def fetch(self, key: str, path: Path) -> None:
        source = self.path_of(key)
        try:
            await asyncio.to_thread(shutil.copyfile, source, path)
        except FileNotFoundError as error:
            raise NoSuchObject from error
        except OSError as error:
            raise StorageUnavailable(_why(error)) from error

    async def size(self, key: str) -> int | None:
        path = self.path_of(key)
        try:
            return (await asyncio.to_thread(path.stat)).st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StorageUnavailable(_why(error)) from error

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(_removed, self.path_of(key), self.root)

    async def keys_below(self, folder: str) -> list[str]:
        top = self.path_of(checked_prefix(folder).removesuffix("/"))

        def walk() -> list[str]:
            files = (path for path in top.rglob("*") if path.is_file() and not path.name.startswith("."))
            return sorted(path.relative_to(self.root).as_posix() for path in files)

        return await asyncio.to_thread(walk)

    async def forget_unfinished(self, now: datetime) -> None:
        await asyncio.to_thread(_forgotten, self.root / _UNFINISHED, (now - _ABANDONED_AFTER).timestamp())

    def link(self, key: str, lives: timedelta) -> str:
        if self.links is None:
            raise StorageUnavailable("this process was not given the secret that signs links", retryable=False)
        return self.links.make(checked(key), lives)

    def path_of(self, key: str) -> Path:
        """Where a key lies. A link of the file system that leads out of the folder is not followed."""
        path = self.root / checked(key)
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise BadKey
        return path


def _copied(source: Path, unfinished_ones: Path, target: Path) -> None:
    """Through a name that nobody looks for, and on the disk before it gets its own."""
    try:
        unfinished_ones.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=unfinished_ones)
        try:
            with os.fdopen(handle, "wb") as into, source.open("rb") as out_of:
                shutil.copyfileobj(out_of, into, _PIECE)
                into.flush()
                os.fsync(into.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(unfinished).replace(target)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageUnavailable(_why(error)) from error


def _forgotten(unfinished_ones: Path, before: float) -> None:
    try:
        for path in unfinished_ones.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # It has just been finished.
                if path.stat().st_mtime < before:
                    path.unlink()
    except OSError as error:
        raise StorageUnavailable(_why(error)) from error


def _opened(path: Path, start: int) -> BinaryIO:
    try:
        file = path.open("rb")
        file.seek(start)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NoSuchObject from error
    except OSError as error:
        raise StorageUnavailable(_why(error)) from error
    return file


def _removed(path: Path, root: Path) -> None:
    """With the folders that are empty then."""
    try:
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == root or not folder.is_dir() or any(folder.iterdir()):
                break
            folder.rmdir()
    except NotADirectoryError:
        return
    except OSError as error:
        raise StorageUnavailable(_why(error)) from error


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__
