"""What every storage promises."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from rymi_server.foundation.errors import NotFound, Unavailable


class NoSuchObject(NotFound):
    """Nothing is stored under this key."""

    def __init__(self) -> None:
        super().__init__("There is no such file in the storage.")


class StorageUnavailable(Unavailable):
    """The disk or the cloud refuses. Nothing half-written is ever found under a key."""

    code = "storage_unavailable"

    def __init__(self, why: str, *, retryable: bool = True) -> None:
        super().__init__(f"The storage failed: {why}", retryable=retryable)


class ObjectStorage(Protocol):
    """Files by key. Raises `BadKey`, `NoSuchObject` and `StorageUnavailable`, and nothing else on purpose."""

    async def put_file(self, key: str, path: Path, content_type: str) -> None:
        """Store the file at `path`, over what was there. It is found whole or not at all."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but not including `end`, in pieces of bounded size."""
        ...

    async def fetch(self, key: str, path: Path) -> None:
        """Write what is stored to `path`, in bounded memory."""
        ...

    async def size(self, key: str) -> int | None:
        """How many bytes it has; None where there is nothing."""
        ...

    async def delete(self, key: str) -> None:
        """Afterwards there is nothing, whether or not there was before."""
        ...

    async def keys_below(self, folder: str) -> list[str]:
        """Every key that begins with `folder`, which ends with a slash."""
        ...

    async def forget_unfinished(self, now: datetime) -> None:
        """Remove what whoever was storing it has left half-written, an hour ago or longer."""
        ...

    def link(self, key: str, lives: timedelta) -> str:
        """A URL at which anybody can read it until it expires. Asks nobody, so it does not say whether it is there."""
        ...
