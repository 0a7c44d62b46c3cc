"""The language of Twilio's bidirectional Media Streams. Pure: nothing here touches a socket or a clock."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from itertools import count

from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, Message, Order
from carrierbox.line.g711 import FRAME_MS

PROTOCOL_ERROR = "31924"
CLOSE_CODE = 1002


class TwilioWire:
    """One stream. Numbers travel as strings, as Twilio sends them."""

    largest_message = 4 * 1024 * 1024

    def __init__(self, stream_id: str, call_id: str, account_id: str, parameters: Mapping[str, str]) -> None:
        self._stream_id = stream_id
        self._call_id = call_id
        self._account_id = account_id
        self._parameters = dict(parameters)
        self._sequence = count(1)
        self._chunks = count(1)

    def opening(self) -> list[Message]:
        start = {
            "accountSid": self._account_id,
            "streamSid": self._stream_id,
            "callSid": self._call_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        connected = json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        return [connected, *self._say("start", start)]

    def speech(self, number: int, sound: bytes | None) -> list[Message]:
        if sound is None:
            return []
        payload = base64.b64encode(sound).decode()
        # Put together by hand: this is made fifty times a second for every call.
        return [
            f'{{"event":"media","sequenceNumber":"{next(self._sequence)}","media":{{"track":"inbound",'
            f'"chunk":"{next(self._chunks)}","timestamp":"{number * FRAME_MS}","payload":"{payload}"}},'
            f'"streamSid":"{self._stream_id}"}}'
        ]

    def key(self, digit: str, ms: int) -> list[Message]:  # noqa: ARG002 - Twilio does not say when.
        return self._say("dtmf", {"track": "inbound_track", "digit": digit})

    def played(self, name: object) -> list[Message]:
        return self._say("mark", {"name": name})

    def cleared(self, pending: Sequence[object]) -> list[Message]:
        """Twilio answers a clear with every mark that was still waiting."""
        return [message for name in pending for message in self.played(name)]

    def closing(self) -> list[Message]:
        return self._say("stop", {"accountSid": self._account_id, "callSid": self._call_id})

    def _say(self, event: str, body: Mapping[str, object]) -> list[Message]:
        sequence = str(next(self._sequence))
        return [json.dumps({"event": event, "sequenceNumber": sequence, event: body, "streamSid": self._stream_id})]

    def read(self, message: Message) -> Order:
        body = _object(_json(message), "message")
        event = body.get("event")
        if body.get("streamSid") != self._stream_id:
            return Ignored(f"{event}: streamSid is not this stream's")
        match event:
            case "media":
                return Audio(_payload(_object(body.get("media"), "media").get("payload")))
            case "mark":
                name = _object(body.get("mark"), "mark").get("name")
                if not isinstance(name, str):
                    raise _wrong("mark.name must be text")
                return MarkOrder(name)
            case "clear":
                return ClearOrder()
        return Ignored(f"unknown event {event!r}")


def _json(message: Message) -> object:
    if isinstance(message, bytes):
        raise _wrong("binary messages are not accepted")
    try:
        return json.loads(message)
    except (ValueError, RecursionError):
        raise _wrong("the message is not JSON") from None


def _object(raw: object, name: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise _wrong(f"{name} must be an object")
    return raw


def _payload(raw: object) -> bytes:
    if not isinstance(raw, str):
        raise _wrong("media.payload must be base64 text")
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong("media.payload is not base64") from None


def _wrong(reason: str) -> BadMessage:
    return BadMessage(reason, CLOSE_CODE, PROTOCOL_ERROR)
