"""Vonage's WebSocket legs, translated: binary frames of exactly 20 ms, JSON for all else."""

import re
from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.json_words import digit, object_in, part, word
from rymi_server.telephony.carriers.media import (
    TOKEN_PARAMETER,
    BufferCleared,
    Encoding,
    Format,
    Heard,
    KeyPressed,
    MarkPlayed,
    MediaEvent,
    Message,
    Opened,
    Unread,
)

_CONTENT_TYPE = re.compile(r"audio/l16; ?rate=(8000|16000|24000)")
_CLEAR = '{"action":"clear"}'


class VonageMedia:
    """One WebSocket leg. Vonage names neither the stream nor the phone's call on it."""

    def read(self, message: Message) -> MediaEvent:
        if isinstance(message, bytes):
            return Heard(message)
        body = object_in(message)
        if body is None:
            return Unread("not a JSON object", broken=True)
        match body.get("event"):
            case "websocket:notify":
                name = word(part(body, "payload").get("mark"))
                return MarkPlayed(name) if name else Unread("notify without our mark")
            case "websocket:cleared":
                return BufferCleared()
            case "websocket:dtmf":
                # Documented both ways.
                key = digit(body.get("digit")) or digit(part(body, "dtmf").get("digit"))
                return KeyPressed(key) if key else Unread("dtmf without a key", broken=True)
            case "websocket:connected":
                return _opened(body)
        return Unread("an unknown event")

    def play(self, frame: bytes) -> Message:
        return frame

    def mark(self, name: str) -> Message:
        return f'{{"action":"notify","payload":{{"mark":"{name}"}}}}'

    def clear(self) -> Message:
        return _CLEAR

    def press(self, digits: str) -> Message | None:  # noqa: ARG002 - Vonage's socket has no word for keys.
        return None


def _opened(body: Mapping[str, Any]) -> MediaEvent:
    kind = word(body.get("content-type"))
    found = _CONTENT_TYPE.fullmatch(kind) if kind else None
    if found is None:
        return Unread("connected without a content type that we know", broken=True)
    token = word(body.get(TOKEN_PARAMETER))
    return Opened(token, None, None, Format(Encoding.LINEAR, int(found[1])))
