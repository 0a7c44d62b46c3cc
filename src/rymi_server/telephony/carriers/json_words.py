"""Reads what strangers send as JSON: the types wobble, and nothing of it may raise."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.media import DIGITS, LONGEST_WORD, Message

_NOTHING: Mapping[str, Any] = {}
# Sixteen digits of milliseconds are three hundred thousand years.
_LONGEST_NUMBER = 16


def object_in(message: Message) -> Mapping[str, Any] | None:
    """The object that a message is, if it is one."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object under `name`; an empty one where there is none."""
    found = body.get(name)
    return found if isinstance(found, dict) else _NOTHING


def word(value: object) -> str | None:
    """A short text, or a number as one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    if isinstance(value, int) and abs(value) >= 10**_LONGEST_NUMBER:
        return None
    text = str(value)
    return text if 0 < len(text) <= LONGEST_WORD else None


def number(value: object) -> int | None:
    """A whole number that is not negative, or a text of one."""
    text = word(value)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def sound(value: object) -> bytes | None:
    """Audio as base64."""
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def digit(value: object) -> str | None:
    """One key of a phone."""
    text = word(value)
    return text.upper() if text and text.upper() in DIGITS else None
