"""A folder of this machine's disk in which something is made of the pieces of a recording, and which then goes.

Whoever is killed meanwhile leaves it behind, with people's voices in it. The kernel takes its lock back, by which the
next one to start knows it and clears it away.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "rymi-recording-"
# Its lock is not held yet, so it must not be found.
_BEING_MADE = "rymi-new-recording-"


@contextlib.contextmanager
def workroom() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix=_BEING_MADE))
    lock = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = made.rename(made.with_name(made.name.replace(_BEING_MADE, _PREFIX)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
    finally:
        os.close(lock)


def clear_abandoned() -> int:
    """Remove those whose makers are dead, and say how many there were. Other accounts' folders are theirs to clear."""
    return sum(_cleared(folder) for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))


def _cleared(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, PermissionError):
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except (BlockingIOError, FileNotFoundError):  # Somebody is at work there, or was quicker in clearing it.
        return False
    finally:
        os.close(lock)
    return True
