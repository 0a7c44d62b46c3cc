"""Somebody rings from a phone of the carriers in the box, and says what they are given; and finding that call here."""

import asyncio
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx

from rymi_server.entrypoints.calling.account import Account, CannotCall
from rymi_server.entrypoints.settings import read_settings
from rymi_server.foundation.proxies import is_reached_directly

DEFAULT_BOX_URL = "http://127.0.0.1:7300"
_CALLER = "+12025550188"
_ANSWERS_WITHIN_SECONDS = 20.0
_LOOKS_EVERY_SECONDS = 0.2
_NEWEST = 5


def where_the_box_is(environment: Mapping[str, str] = os.environ) -> str:
    """The carriers in the box: named by RYMI_CARRIERBOX_URL, else those of the `rymi up` on this machine."""
    port = environment.get("CARRIERBOX_PORT")
    return read_settings().carrierbox_url or (f"http://127.0.0.1:{port}" if port else DEFAULT_BOX_URL)


class BoxPhone:
    """A phone in the box, and somebody who speaks into it."""

    def __init__(self, box_url: str, voice: str) -> None:
        by_proxy = not is_reached_directly(box_url)
        self._box = httpx.AsyncClient(base_url=box_url, timeout=_ANSWERS_WITHIN_SECONDS, trust_env=by_proxy)
        self._voice = voice
        self._call_id = ""

    async def ring(self, number: str) -> str:
        """The carrier's own name of the call."""
        script = {"name": "rings from the terminal", "moves": [{"do": "stay"}]}
        answer = await self._ask("/control/calls", carrier="twilio", to=number, script=script, **{"from": _CALLER})
        if answer.is_error:
            raise CannotCall(f"Nobody can ring {number}: {answer.json().get('error', answer.status_code)}")
        self._call_id = str(answer.json()["id"])
        return self._call_id

    async def say(self, text: str) -> None:
        """Returns when it is being said."""
        answer = await self._ask(f"/control/calls/{self._call_id}/say", text=text, voice=self._voice)
        # Whoever was hung up on in this moment says it to nobody.
        if answer.is_error and answer.status_code != HTTPStatus.CONFLICT:
            raise CannotCall(f"The line cannot be said: {answer.json().get('error', answer.status_code)}")

    async def hang_up(self) -> None:
        await self._ask(f"/control/calls/{self._call_id}/hang-up")

    async def aclose(self) -> None:
        await self._box.aclose()

    async def _ask(self, path: str, **body: Any) -> httpx.Response:
        try:
            return await self._box.post(path, json=body)
        except httpx.TransportError as error:
            raise CannotCall(f"No carrier in a box answers at {self._box.base_url}: is `rymi up` running?") from error


async def call_of(account: Account, provider_call_id: str) -> dict[str, Any]:
    """Our call that the carrier's call has become."""
    until = time.monotonic() + _ANSWERS_WITHIN_SECONDS
    while time.monotonic() < until:
        for listed in await account.newest_calls(_NEWEST):
            call = await account.call(listed["id"])
            legs = [person.get("telephony_leg") or {} for person in call["participants"]]
            if any(leg.get("provider_call_id") == provider_call_id for leg in legs):
                return call
        await asyncio.sleep(_LOOKS_EVERY_SECONDS)
    raise CannotCall("It rang, and the call never came here. `rymi doctor` may know why.")
