"""The folder that an installation lives in. One `rymi up` at a time works on it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from rymi_server.foundation.errors import Unavailable


class FolderInUse(Unavailable):
    code = "folder_in_use"

    def __init__(self, folder: Path, pid: str) -> None:
        super().__init__(
            f"Another `rymi up` (process {pid}) runs on {folder}. Stop it, or choose another with RYMI_DATA_DIR.",
            retryable=False,
        )


class FolderUnusable(Unavailable):
    code = "folder_unusable"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"{folder} cannot be used: {error.strerror}. RYMI_DATA_DIR chooses another data folder.", retryable=False
        )


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Nobody else has `folder` meanwhile. The claim ends with this process, however it ends."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True)
            # Others may pass, because PostgreSQL runs as somebody else where we are root; they may not look around.
            folder.chmod(0o711)
        lock = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FolderUnusable(folder, error) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUse(folder, os.pread(lock, 20, 0).decode().strip() or "unknown") from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)
