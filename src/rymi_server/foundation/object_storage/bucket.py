"""A storage that is a bucket of S3, or of anything that speaks like it.

The calls of obstore that block are made in threads: its own asyncio ones abort the interpreter at exit now and then.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import obstore
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnknownConfigurationKeyError,
)
from obstore.store import S3Store

from rymi_server.foundation.object_storage.keys import checked, checked_prefix
from rymi_server.foundation.object_storage.promises import NoSuchObject, StorageUnavailable

_PIECE = 4 * 1024 * 1024
Answer = TypeVar("Answer")


class BucketStorage:
    """`public` signs links, where browsers reach the storage under another name than we do."""

    def __init__(self, store: S3Store, public: S3Store | None = None) -> None:
        self._store = store
        self._public = public or store

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        checked(key)
        await _asked(
            lambda: obstore.put(
                self._store, key, path, attributes={"Content-Type": content_type}, chunk_size=8 * 1024 * 1024,
                max_concurrency=2,
            )
        )  # fmt: skip

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        checked(key)
        if start == 0 and end is None:
            whole = await _asked(lambda: iter(obstore.get(self._store, key).stream(min_chunk_size=_PIECE)))
            while (piece := await _asked(lambda: next(whole, None))) is not None:
                yield bytes(piece)
            return
        most = await self.size(key)
        if most is None:
            raise NoSuchObject
        end = most if end is None else min(end, most)
        while start < end:
            upto = min(start + _PIECE, end)
            piece = await self._range(key, start, upto)
            yield piece
            start = upto

    async def fetch(self, key: str, path: Path) -> None:
        try:
            with await asyncio.to_thread(path.open, "wb") as file:
                async for piece in self.read(key):
                    await asyncio.to_thread(file.write, piece)
        except OSError as error:
            raise StorageUnavailable(_first_line(error)) from error

    async def size(self, key: str) -> int | None:
        checked(key)
        try:
            return (await _asked(lambda: obstore.head(self._store, key)))["size"]
        except NoSuchObject:
            return None

    async def delete(self, key: str) -> None:
        checked(key)
        try:
            await _asked(lambda: obstore.delete(self._store, key))
        except NoSuchObject:
            return

    async def keys_below(self, folder: str) -> list[str]:
        checked_prefix(folder)

        def listed() -> list[str]:
            pages = obstore.list(self._store, prefix=folder.removesuffix("/"))
            return sorted(each["path"] for page in pages for each in page)

        return await _asked(listed)

    async def forget_unfinished(self, now: datetime) -> None:
        """The bucket's own rule for uploads that were not completed does; S3 shows them to nobody before."""

    def link(self, key: str, lives: timedelta) -> str:
        return obstore.sign(self._public, "GET", checked(key), lives)

    async def _range(self, key: str, start: int, end: int) -> bytes:
        piece = bytes(await _asked(lambda: obstore.get_range(self._store, key, start=start, end=end)))
        if len(piece) != end - start:
            raise StorageUnavailable("it answered another range of bytes than it was asked for")
        return piece


async def _asked(ask: Callable[[], Answer]) -> Answer:
    try:
        return await asyncio.to_thread(ask)
    except (NotFoundError, FileNotFoundError) as error:
        raise NoSuchObject from error
    except (PermissionError, PermissionDeniedError, UnauthenticatedError, UnknownConfigurationKeyError) as error:
        raise StorageUnavailable(_first_line(error), retryable=False) from error
    except (BaseError, OSError) as error:
        raise StorageUnavailable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300] or type(error).__name__
