"""Gives the demo account a phone line: its carrier is the one in the box, and its number is one of the box's.

A box forgets everything when it stops, so this is done at every start, by the same doors that customers use. An account
that is connected to anything else is left alone.
"""

import asyncio

import httpx

from rymi_server.entrypoints.up.demo import NUMBER
from rymi_server.foundation.errors import Unavailable
from rymi_server.telephony.carriers.box import BOX_ACCOUNT, BOX_ACCOUNT_NAME, BOX_TOKEN

_ANSWERS_WITHIN_SECONDS = 15.0
_TRIES = 5


class NoPhoneLine(Unavailable):
    code = "no_phone_line"

    def __init__(self, why: str) -> None:
        super().__init__(f"The demo account has no phone line: {why}", retryable=True)


async def connect_demo(api_url: str, key: str, box_url: str) -> None:
    """Raise `NoPhoneLine`."""
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with (
            httpx.AsyncClient(base_url=api_url, headers=headers, timeout=_ANSWERS_WITHIN_SECONDS) as api,
            httpx.AsyncClient(base_url=box_url, timeout=_ANSWERS_WITHIN_SECONDS) as box,
        ):
            await _lay_line(box)
            status = await api.get("/v1/telephony/status")
            if status.status_code == httpx.codes.UNAUTHORIZED:
                return  # The demo account is gone; whoever removed it needs no line.
            connected = status.json()
            if connected.get("connected") and connected.get("account_name") != BOX_ACCOUNT_NAME:
                return
            await _connect(api)
    except (httpx.TransportError, ValueError) as error:
        raise NoPhoneLine(str(error) or type(error).__name__) from error


async def _lay_line(box: httpx.AsyncClient) -> None:
    """The demo's number belongs to the box's account from now on."""
    owned = (await box.get("/control/numbers")).json()["numbers"]
    if all(each["number"] != NUMBER for each in owned):
        number = {"carrier": "twilio", "account_id": BOX_ACCOUNT, "number": NUMBER}
        (await box.post("/control/numbers", json=number)).raise_for_status()


async def _connect(api: httpx.AsyncClient) -> None:
    body = {"provider": "twilio", "auth_id": BOX_ACCOUNT, "auth_token": BOX_TOKEN}
    for _ in range(_TRIES):
        answer = await api.post("/v1/telephony/connect", json=body)
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
    if answer.is_error:
        raise NoPhoneLine(str(answer.json().get("error", answer.status_code)))
