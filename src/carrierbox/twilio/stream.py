"""The language of Twilio's bidirectional Media Streams. Pure: nothing here touches a socket or a clock."""

import base64
import json
from collections.abc import Mapping, Sequence
from itertools import count

from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, Message, Order
from carrierbox.calls.json_messages import Unreadable, bytes_at, object_at, read_object, text_at
from carrierbox.line.g711 import FRAME_MS

PROTOCOL_ERROR = "31924"
CLOSE_CODE = 1002


class TwilioWire:
    """One stream. Numbers travel as strings, as Twilio sends them."""

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
        try:
            return self._read(read_object(message))
        except Unreadable as error:
            raise BadMessage(str(error), CLOSE_CODE, PROTOCOL_ERROR) from error

    def _read(self, body: Mapping[str, object]) -> Order:
        event = body.get("event")
        if body.get("streamSid") != self._stream_id:
            return Ignored(f"{event}: streamSid is not this stream's")
        match event:
            case "media":
                return Audio(bytes_at(object_at(body.get("media"), "media").get("payload"), "media.payload"))
            case "mark":
                return MarkOrder(text_at(object_at(body.get("mark"), "mark").get("name"), "mark.name"))
            case "clear":
                return ClearOrder()
        return Ignored(f"unknown event {event!r}")
