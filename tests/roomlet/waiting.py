"""Waiting that says what it was waiting for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Value = TypeVar("Value")
LOOK_AGAIN_SECONDS = 0.02


class NeverHappened(AssertionError):
    """The condition did not come true in time."""


async def eventually(what: str, condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Looks until the condition holds."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise NeverHappened(f"after {seconds} s still not: {what}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def eventually_is(
    what: str, expected: Value, asked: Callable[[], Awaitable[Value]], seconds: float = 10.0
) -> None:
    """Asks until the answer is as expected."""
    until = time.monotonic() + seconds
    while (answer := await asked()) != expected:
        if time.monotonic() > until:
            raise NeverHappened(f"after {seconds} s {what} is {answer}, not {expected}")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def within(what: str, awaited: Awaitable[Value], seconds: float = 10.0) -> Value:
    try:
        async with asyncio.timeout(seconds):
            return await awaited
    except TimeoutError:
        raise NeverHappened(f"after {seconds} s still waiting for: {what}") from None


async def stays(what: str, condition: Callable[[], object], seconds: float = 0.5) -> None:
    """Looks for a while whether the condition keeps holding."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert condition(), f"no longer: {what}"
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
