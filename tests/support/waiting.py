"""Waiting for something to become true, and saying what it was when it does not."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(what: str, is_true: Callable[[], Awaitable[bool]], *, seconds: float = 15) -> None:
    """Return once `is_true`; fail naming `what` otherwise."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await is_true():
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        await asyncio.sleep(0.02)
