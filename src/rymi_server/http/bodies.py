"""Reads a request's body: bounded, JSON, and only what the database and everybody after it can hold."""

import json
import math
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

from fastapi import Request

from rymi_server.foundation.errors import Invalid, Refused

_DEEPEST = 64
MAY_HAVE_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class BodyTooLarge(Refused):
    status, code = 413, "body_too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"The request's body is larger than {most} bytes.", limit_bytes=most)


class ReadRequest(Request):
    """A request whose body has been read and found good."""

    def take(self, raw: bytes, parsed: Any) -> "ReadRequest":
        self._body = raw
        self._json = parsed
        return self


async def read(request: Request, most: int) -> ReadRequest:
    """Raise `BodyTooLarge` or `Invalid`; afterwards `body()` and `json()` answer at once."""
    refuse_unprintable(request.scope["path"], "path")
    refuse_unprintable(unquote_plus(request.url.query), "query")
    _refuse_repeated(name for name, _ in request.query_params.multi_items())
    raw = await read_bounded(request, most) if request.method in MAY_HAVE_BODY else b""
    parsed = _parse(raw, request.headers.get("content-type", "")) if raw else None
    return ReadRequest(request.scope, request.receive).take(raw, parsed)


def refuse_unprintable(text: str, where: str) -> None:
    """PostgreSQL holds no NUL in any text, and a half surrogate cannot be written as UTF-8."""
    if "\0" in text:
        raise Invalid("NUL characters are not allowed.", where=where)


def _refuse_repeated(names: Iterable[str]) -> None:
    """No parameter of ours is a list, and which of two values was meant is not ours to guess."""
    seen = set()
    for name in names:
        if name in seen:
            raise Invalid("A query parameter is given once.", where=name)
        seen.add(name)


async def read_bounded(request: Request, most: int) -> bytes:
    """The body, whatever it is. Raise `BodyTooLarge`."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        raise BodyTooLarge(most)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise BodyTooLarge(most)
        parts.append(part)
    return b"".join(parts)


def _parse(raw: bytes, content_type: str) -> Any:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Invalid("Send JSON, with the header `Content-Type: application/json`.", where="body")
    try:
        parsed = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not valid JSON.", where="body") from error
    _refuse_unstorable(parsed, "body", 0)
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_unstorable(value: Any, where: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise Invalid(f"The body is nested deeper than {_DEEPEST} levels.", where="body")
    if isinstance(value, str):
        _refuse_text(value, where)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid("A number is too large.", where=where)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _refuse_text(key, where)
            _refuse_unstorable(inner, f"{where}.{key}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_unstorable(inner, f"{where}.{index}", depth + 1)


def _refuse_text(text: str, where: str) -> None:
    if text.isascii():
        if "\0" in text:
            raise Invalid("NUL characters are not allowed.", where=where)
        return
    refuse_unprintable(text, where)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid("Half a surrogate pair is not a character.", where=where)
