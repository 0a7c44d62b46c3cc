"""Reads what a tester sends to the control API."""

from collections.abc import Mapping

from aiohttp import web

from carrierbox.numbers import to_e164


class BadRequest(Exception):
    """The tester asked for what cannot be; the message says what."""


async def read_json(request: web.Request) -> Mapping[str, object]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise BadRequest("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


def read_number(raw: object, name: str) -> str:
    number = to_e164(raw) if isinstance(raw, str) else None
    if number is None:
        raise BadRequest(f"{name} must be a phone number such as +12025550100.")
    return number


def read_whole(raw: str, name: str, least: int, most: int) -> int:
    if not raw.isdecimal() or not least <= int(raw) <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.")
    return int(raw)
