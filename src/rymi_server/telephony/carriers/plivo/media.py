"""Plivo's audio streams, translated: JSON both ways, mu-law or 16-bit samples in base64.

Their documents disagree with each other about types and separators, so both are taken as they come.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.json_words import digit, number, object_in, part, sound, word
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
    Stopped,
    Unread,
)

_MULAW, _LINEAR = "audio/x-mulaw", "audio/x-l16"
_RATES = (8000, 16000, 24000)
_SEPARATORS = re.compile(r"[,;]")
_LONGEST_HEADERS = 2048


class PlivoMedia:
    """One stream, in the format that its `start` names."""

    def __init__(self) -> None:
        self._stream = ""
        self._kind = ""

    def read(self, message: Message) -> MediaEvent:
        body = object_in(message)
        if body is None:
            return Unread("not a JSON object", broken=True)
        match body.get("event"):
            case "media":
                return _heard(part(body, "media"))
            case "playedStream":
                name = word(body.get("name"))
                return MarkPlayed(name) if name else Unread("playedStream without a name", broken=True)
            case "clearedAudio":
                return BufferCleared()
            case "dtmf":
                key = digit(part(body, "dtmf").get("digit"))
                return KeyPressed(key) if key else Unread("dtmf without a key", broken=True)
            case "start":
                return self._opened(body)
            case "stop":
                return Stopped()
        return Unread("an unknown event")

    def _opened(self, body: Mapping[str, Any]) -> MediaEvent:
        start = part(body, "start")
        stream = word(start.get("streamId")) or word(body.get("streamId"))
        form = _format(part(start, "mediaFormat"))
        if stream is None or form is None:
            return Unread("start without a stream or a format that we know", broken=True)
        self._stream = json.dumps(stream)
        kind = _MULAW if form.encoding is Encoding.MULAW else _LINEAR
        self._kind = f'"contentType":"{kind}","sampleRate":{form.rate}'
        headers = _headers(body.get("extra_headers") or start.get("extra_headers"))
        return Opened(headers.get(TOKEN_PARAMETER), word(start.get("callId")), stream, form)

    def play(self, frame: bytes) -> Message:
        # Put together by hand, because this is said fifty times a second in every call.
        audio = base64.b64encode(frame).decode()
        return f'{{"event":"playAudio","media":{{{self._kind},"payload":"{audio}"}}}}'

    def mark(self, name: str) -> Message:
        return f'{{"event":"checkpoint","streamId":{self._stream},"name":"{name}"}}'

    def clear(self) -> Message:
        return f'{{"event":"clearAudio","streamId":{self._stream}}}'

    def press(self, digits: str) -> Message | None:
        return f'{{"event":"sendDTMF","dtmf":"{digits}"}}'


def _format(form: Mapping[str, Any]) -> Format | None:
    kind, rate = form.get("encoding"), number(form.get("sampleRate"))
    if kind == _MULAW and rate == 8000:
        return Format(Encoding.MULAW, rate)
    if kind == _LINEAR and rate in _RATES:
        return Format(Encoding.LINEAR, rate)
    return None


def _headers(value: object) -> dict[str, str]:
    """`{k=v,k2=v2}`, with or without the braces, with commas or semicolons, or an object."""
    if isinstance(value, dict):
        pairs = [(key, word(each)) for key, each in value.items()]
    elif isinstance(value, str) and len(value) <= _LONGEST_HEADERS:
        parted = [each.partition("=") for each in _SEPARATORS.split(value.strip().strip("{}"))]
        pairs = [(key.strip(), word(text.strip())) for key, _, text in parted]
    else:
        return {}
    return {key: text for key, text in pairs if text}


def _heard(media: Mapping[str, Any]) -> MediaEvent:
    if media.get("track", "inbound") != "inbound":
        return Unread("audio of our own")
    audio = sound(media.get("payload"))
    return Unread("media without audio", broken=True) if audio is None else Heard(audio, number(media.get("timestamp")))
