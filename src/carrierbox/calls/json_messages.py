"""Reads what an application says on a JSON media socket. What follows from an unreadable one, carriers decide."""

import base64
import binascii
import json
from collections.abc import Mapping

from carrierbox.calls.carrier import Message


class Unreadable(Exception):
    """Not a message of the shape it should have; the text says in what."""


def read_object(message: Message) -> Mapping[str, object]:
    if isinstance(message, bytes):
        raise Unreadable("binary messages are not accepted")
    try:
        return object_at(json.loads(message), "message")
    except (ValueError, RecursionError):
        raise Unreadable("the message is not JSON") from None


def object_at(raw: object, name: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise Unreadable(f"{name} must be an object")
    return raw


def bytes_at(raw: object, name: str) -> bytes:
    if not isinstance(raw, str):
        raise Unreadable(f"{name} must be base64 text")
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable(f"{name} is not base64") from None


def text_at(raw: object, name: str) -> str:
    if not isinstance(raw, str):
        raise Unreadable(f"{name} must be text")
    return raw
