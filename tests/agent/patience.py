"""Waiting for agents: they share a machine with callers, a room server and whatever else runs there."""

from collections.abc import Callable

from tests.roomlet.waiting import eventually as soon


async def eventually(what: str, condition: Callable[[], object], seconds: float = 40.0) -> None:
    await soon(what, condition, seconds)
