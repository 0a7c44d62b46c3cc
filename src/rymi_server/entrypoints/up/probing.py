"""Asks a process over HTTP whether it is ready, without bringing an HTTP client along."""

import asyncio
import json
from http import HTTPStatus
from urllib.parse import urlsplit

_ANSWERS_WITHIN_SECONDS = 4


async def what_is_missing(url: str) -> str | None:
    """None once the process at `url` is ready, else why it is not, in its own words where it has any."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN_SECONDS):
            status, body = await _get(url)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
        return "does not answer yet"
    return None if status == HTTPStatus.OK else _in_words(status, body)


def _in_words(status: int, body: bytes) -> str:
    try:
        missing = json.loads(body)["missing"]
        return " ".join(f"{each['what']}: {each['mend']}" for each in missing)
    except (ValueError, KeyError, TypeError):
        return f"answers {status}"


async def _get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(None, 2)[1]), body
