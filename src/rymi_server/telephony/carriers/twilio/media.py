"""Twilio's bidirectional Media Streams, translated: JSON both ways, mu-law in base64."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.json_words import digit, number, object_in, part, sound, word
from rymi_server.telephony.carriers.media import (
    TOKEN_PARAMETER,
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

# Twilio knows no other.
_FORMAT = Format(Encoding.MULAW, 8000)


class TwilioMedia:
    """One stream. Its id is learnt from `start` and stands in everything that is said to it."""

    def __init__(self) -> None:
        self._stream = ""

    def read(self, message: Message) -> MediaEvent:
        body = object_in(message)
        if body is None:
            return Unread("not a JSON object", broken=True)
        match body.get("event"):
            case "media":
                return _heard(part(body, "media"))
            case "mark":
                return _mark(part(body, "mark"))
            case "dtmf":
                key = digit(part(body, "dtmf").get("digit"))
                return KeyPressed(key) if key else Unread("dtmf without a key", broken=True)
            case "start":
                return self._opened(body)
            case "stop":
                return Stopped()
            case "connected":
                return Unread("connected")
        return Unread("an unknown event")

    def _opened(self, body: Mapping[str, Any]) -> MediaEvent:
        start = part(body, "start")
        stream = word(body.get("streamSid")) or word(start.get("streamSid"))
        if stream is None:
            return Unread("start without a stream", broken=True)
        self._stream = json.dumps(stream)
        token = word(part(start, "customParameters").get(TOKEN_PARAMETER))
        return Opened(token, word(start.get("callSid")), stream, _FORMAT)

    def play(self, frame: bytes) -> Message:
        # Put together by hand, because this is said fifty times a second in every call.
        audio = base64.b64encode(frame).decode()
        return f'{{"event":"media","streamSid":{self._stream},"media":{{"payload":"{audio}"}}}}'

    def mark(self, name: str) -> Message:
        return f'{{"event":"mark","streamSid":{self._stream},"mark":{{"name":"{name}"}}}}'

    def clear(self) -> Message:
        return f'{{"event":"clear","streamSid":{self._stream}}}'

    def press(self, digits: str) -> Message | None:  # noqa: ARG002 - Twilio's socket has no word for keys.
        return None


def _heard(media: Mapping[str, Any]) -> MediaEvent:
    if media.get("track", "inbound") != "inbound":
        return Unread("audio of our own")
    audio = sound(media.get("payload"))
    return Unread("media without audio", broken=True) if audio is None else Heard(audio, number(media.get("timestamp")))


def _mark(mark: Mapping[str, Any]) -> MediaEvent:
    name = word(mark.get("name"))
    return MarkPlayed(name) if name else Unread("mark without a name", broken=True)
