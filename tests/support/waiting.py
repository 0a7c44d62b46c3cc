"""Waiting for something to become true, and saying what it was when it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa

from rymi_server.foundation.database import Database

Found = TypeVar("Found")


async def until(what: str, is_true: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    """Return once `is_true`; fail naming `what` otherwise."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await is_true():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        await asyncio.sleep(0.02)


async def somebody_waits_in(database: Database) -> bool:
    """For a lock."""
    waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with database.transaction() as tx:
        return (await tx.execute(sa.text(waiting))).first() is not None


def wait_for(what: str, look: Callable[[], Found | None], *, seconds: float = 30) -> Found:
    """Where nothing can be awaited: what `look` finds, once it finds something; fail naming `what` otherwise."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.02)
    return found
