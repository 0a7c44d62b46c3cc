"""The language of Plivo's audio streams. Pure: nothing here touches a socket or a clock."""

import base64
import json
from collections.abc import Mapping, Sequence
from itertools import count

from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, Message, Order, PressOrder
from carrierbox.calls.json_messages import Unreadable, bytes_at, object_at, read_object, text_at
from carrierbox.line.g711 import FRAME_MS
from carrierbox.line.linear import LinearCodec
from carrierbox.line.tones import PAIRS, PAUSES
from carrierbox.plivo.xml import StreamOptions

CLOSE_CODE = 1002
LARGEST_PAYLOAD = 16 * 1024
MOST_DIGITS = 64


class PlivoWire:
    """One stream, in the format that its XML asked for, both ways."""

    def __init__(
        self,
        stream_id: str,
        call_id: str,
        account_id: str,
        encoding: str,
        rate: int,
        options: StreamOptions,
        began_ms: int,
    ) -> None:
        self._stream_id = stream_id
        self._call_id = call_id
        self._account_id = account_id
        self._kind = "audio/x-mulaw" if encoding == "mulaw" else "audio/x-l16"
        self._rate = rate
        self._codec = None if encoding == "mulaw" else LinearCodec(rate)
        self._options = options
        self._extra = f"{{{options.extra_headers}}}"
        self._began_ms = began_ms
        self._sequence = count(0)
        self._chunks = count(1)

    def opening(self) -> list[Message]:
        start = {
            "callId": self._call_id,
            "streamId": self._stream_id,
            "accountId": self._account_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": self._kind, "sampleRate": self._rate},
        }
        return self._say("start", {"start": start, "extra_headers": self._extra})

    def speech(self, number: int, sound: bytes | None) -> list[Message]:
        if sound is None:
            return []
        data = sound if self._codec is None else self._codec.from_line(sound)
        media = {
            "track": "inbound",
            "timestamp": str(self._began_ms + number * FRAME_MS),
            "chunk": next(self._chunks),
            "payload": base64.b64encode(data).decode(),
        }
        return self._say("media", {"streamId": self._stream_id, "media": media, "extra_headers": self._extra})

    def key(self, digit: str, ms: int) -> list[Message]:
        pressed = {"track": "inbound", "digit": digit, "timestamp": str(self._began_ms + ms)}
        return self._say("dtmf", {"streamId": self._stream_id, "dtmf": pressed, "extra_headers": self._extra})

    def played(self, name: object) -> list[Message]:
        return self._say("playedStream", {"streamId": self._stream_id, "name": name})

    def cleared(self, pending: Sequence[object]) -> list[Message]:  # noqa: ARG002 - Plivo drops what was waiting.
        return self._say("clearedAudio", {"streamId": self._stream_id})

    def closing(self) -> list[Message]:
        """Plivo closes without a word."""
        return []

    def _say(self, event: str, body: Mapping[str, object]) -> list[Message]:
        return [json.dumps({"event": event, "sequenceNumber": next(self._sequence), **body})]

    def read(self, message: Message) -> Order:
        if not self._options.bidirectional:
            return Ignored("the stream is not bidirectional")
        try:
            return self._read(read_object(message))
        except Unreadable as error:
            raise BadMessage(str(error), CLOSE_CODE) from error

    def _read(self, body: Mapping[str, object]) -> Order:
        match body.get("event"):
            case "playAudio":
                return self._audio(object_at(body.get("media"), "media"))
            case "checkpoint":
                return MarkOrder(text_at(body.get("name"), "name"))
            case "clearAudio":
                return ClearOrder()
            case "sendDTMF":
                digits = text_at(body.get("dtmf"), "dtmf")
                if len(digits) > MOST_DIGITS or any(key not in PAIRS and key not in PAUSES for key in digits):
                    return Ignored("sendDTMF holds what is no key")
                return PressOrder(digits)
        return Ignored(f"unknown event {body.get('event')!r}")

    def _audio(self, media: Mapping[str, object]) -> Order:
        """The format must be the stream's own: its kind without a rate, and the rate as a number beside it."""
        if (media.get("contentType"), str(media.get("sampleRate"))) != (self._kind, str(self._rate)):
            return Ignored(f"playAudio is not {self._kind} at {self._rate}")
        payload = text_at(media.get("payload"), "media.payload")
        if len(payload) > LARGEST_PAYLOAD:
            return Ignored(f"playAudio holds more than {LARGEST_PAYLOAD} bytes")
        data = bytes_at(payload, "media.payload")
        return Audio(data if self._codec is None else self._codec.to_line(data))
