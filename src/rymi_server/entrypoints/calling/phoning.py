"""Somebody rings from a phone of the carriers in the box, and says lines in their turn; and finding that call here."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from rymi_server.entrypoints.calling.account import Account, CannotCall
from rymi_server.entrypoints.settings import read_settings

DEFAULT_BOX_URL = "http://127.0.0.1:7300"
_CALLER = "+12025550188"
_ANSWERS_WITHIN_SECONDS = 20.0
_LOOKS_EVERY_SECONDS = 0.2
_NEWEST = 5
# How long the person waits until the agent has finished, and until they give up on it.
_QUIET_MS, _PATIENCE_MS = 900, 12_000


def where_the_box_is(environment: Mapping[str, str] = os.environ) -> str:
    """The carriers in the box: named by RYMI_CARRIERBOX_URL, else those of the `rymi up` on this machine."""
    port = environment.get("CARRIERBOX_PORT")
    return read_settings().carrierbox_url or (f"http://127.0.0.1:{port}" if port else DEFAULT_BOX_URL)


async def ring(box_url: str, number: str, lines: Sequence[str], voice: str) -> str:
    """Have somebody ring `number`. The carrier's own name of the call."""
    body = {"carrier": "twilio", "to": number, "from": _CALLER, "script": script_of(lines, voice)}
    try:
        async with httpx.AsyncClient(base_url=box_url, timeout=_ANSWERS_WITHIN_SECONDS) as box:
            answer = await box.post("/control/calls", json=body)
    except httpx.TransportError as error:
        raise CannotCall(f"No carrier in a box answers at {box_url}: is `rymi up` running?") from error
    if answer.is_error:
        raise CannotCall(f"Nobody can ring {number}: {answer.json().get('error', answer.status_code)}")
    return str(answer.json()["id"])


def script_of(lines: Sequence[str], voice: str) -> dict[str, Any]:
    """Each line when the agent has finished, and after the last one its answer."""
    listen = {"do": "listen", "quiet_ms": _QUIET_MS, "patience_ms": _PATIENCE_MS}
    moves: list[dict[str, Any]] = []
    for line in lines:
        moves += [listen, {"do": "say", "text": line, "voice": voice}]
    return {"name": "rings from the terminal", "moves": [*moves, listen]}


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
