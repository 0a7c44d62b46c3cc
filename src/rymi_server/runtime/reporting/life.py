"""A file for each run that lives on this machine: whose it is, and whom to tell of its death.

Its writer holds it locked, and the kernel frees the lock of whoever dies, so a file that nobody holds is a run that
died. One that hangs holds its lock. Nobody may be forked from a writer without loading a program of its own: it would
hold the lock as well.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import structlog

from rymi_server.runtime.reporting.journal import Address, write_whole

log = structlog.get_logger(__name__)

SUFFIX: Final = ".life.json"
_UNFINISHED: Final = ".new"
_LONGEST: Final = 100_000


class LeftBehind(Exception):
    """An agent has left a call that goes on, and somebody else is to be sent in."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Life:
    """One that this process holds: its own, or that of a run that died. Its methods block: call them from a thread."""

    def __init__(self, path: Path, address: Address, held: int) -> None:
        self.path = path
        self.address = address
        self._held: int | None = held

    @classmethod
    def begin(cls, folder: Path, address: Address) -> "Life":
        """Raise `OSError` where the disk does not take it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{address.call_id}.{address.run}.{os.getpid()}{SUFFIX}"
        unfinished = path.with_name(path.name + _UNFINISHED)
        held = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            write_whole(held, json.dumps(asdict(address)).encode())
            # Nobody ever sees it without its lock.
            unfinished.rename(path)
        except OSError:
            os.close(held)
            raise
        return cls(path, address, held)

    def end(self) -> None:
        """There is nothing to be told of it. Once it was let go it is another's, and nothing happens."""
        if self._held is not None:
            # Before it is free: whoever has opened it by now will see that it is gone.
            self.path.unlink(missing_ok=True)
            self.let_go()

    def let_go(self) -> None:
        """Somebody else may tell of it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def left_behind(folder: Path) -> Iterator[Life]:
    """Of runs that died, each held by us from here on. Blocks: call it from a thread."""
    for path in folder.glob(f"*{SUFFIX}"):
        if (life := _taken_over(path)) is not None:
            yield life


def _taken_over(path: Path) -> Life | None:
    try:
        held = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None  # It has just left, or is another user's.
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_nlink:
            return Life(path, Address(**json.loads(os.pread(held, _LONGEST, 0))), held)
    except BlockingIOError:
        pass  # It lives.
    except (ValueError, TypeError):
        # The machine stopped before the disk had it. It names nobody to be told.
        path.unlink(missing_ok=True)
        log.warning("life_unreadable")
    os.close(held)
    return None


@asynccontextmanager
async def living(folder: Path, address: Address) -> AsyncIterator[None]:
    """A run's whole life. Who leaves leaves nothing; who is cancelled or leaves a call behind is as good as killed."""
    try:
        life = await asyncio.to_thread(Life.begin, folder, address)
    except OSError as error:
        # Its death would be found by its silence, which takes longer.
        log.warning("life_not_written", error=str(error))
        yield
        return
    try:
        yield
    except (asyncio.CancelledError, LeftBehind):
        life.let_go()
        raise
    finally:
        life.end()
