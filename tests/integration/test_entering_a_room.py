"""`rymi call` at the door of a room: `entrypoints/calling/caller.py`, at a real room server."""

import asyncio
from dataclasses import dataclass

import pytest
from tests.roomlet.people import token
from tests.roomlet.running import KEY, SECRET, roomlet
from tests.support.storages import free_port

from rymi_server.entrypoints.calling.account import CannotCall
from rymi_server.entrypoints.calling.caller import Caller, Hearing


@dataclass
class Door:
    """Of a room server that may not be there yet."""

    port: int
    key: str = KEY
    secret: str = SECRET

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


class Silence:
    def frame(self) -> bytes:
        return bytes(960)


async def test_a_room_server_that_is_only_starting_is_waited_for() -> None:
    door, someone = Door(free_port()), Caller(Silence(), Hearing())
    entering = asyncio.create_task(someone.enter(door.url, token(door, "early", "alice")))
    async with roomlet(http_port=door.port):
        await entering
        await someone.leave()


async def test_says_where_nobody_lets_it_in() -> None:
    door = Door(free_port())
    with pytest.raises(CannotCall, match=f"The room at {door.url} does not let us in"):
        await Caller(Silence(), Hearing()).enter(door.url, token(door, "early", "alice"), comes_up_within=0.2)
