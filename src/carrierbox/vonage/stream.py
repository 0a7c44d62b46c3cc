"""The language of Vonage's WebSocket legs: binary frames of exactly 20 ms, JSON for all else. Pure."""

import json
from collections.abc import Mapping, Sequence

from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, Message, Order
from carrierbox.line.g711 import FRAME_MS, SILENCE
from carrierbox.line.linear import LinearCodec
from carrierbox.line.tones import KEY_MS

ABNORMAL_CLOSE = 1006


class VonageWire:
    """One WebSocket leg."""

    def __init__(self, rate: int, headers: Mapping[str, str]) -> None:
        self._rate = rate
        self._frame_bytes = rate * FRAME_MS // 1000 * 2
        self._headers = headers
        self._codec = LinearCodec(rate)

    def opening(self) -> list[Message]:
        """The application's own headers stand beside Vonage's keys."""
        kind = f"audio/l16;rate={self._rate}"
        return [json.dumps({"event": "websocket:connected", "content-type": kind, **self._headers})]

    def speech(self, number: int, sound: bytes | None) -> list[Message]:  # noqa: ARG002 - Frames carry no time.
        """There is no time on a frame, so what the line lost must be filled."""
        return [self._codec.from_line(sound or SILENCE)]

    def key(self, digit: str, ms: int) -> list[Message]:  # noqa: ARG002 - Vonage does not say when.
        return [json.dumps({"event": "websocket:dtmf", "digit": digit, "duration": KEY_MS})]

    def played(self, name: object) -> list[Message]:
        return [json.dumps({"event": "websocket:notify", "payload": name})]

    def cleared(self, pending: Sequence[object]) -> list[Message]:  # noqa: ARG002 - Vonage drops what was waiting.
        return [json.dumps({"event": "websocket:cleared"})]

    def closing(self) -> list[Message]:
        return []

    def read(self, message: Message) -> Order:
        if isinstance(message, bytes):
            if len(message) != self._frame_bytes:
                # Vonage stops listening here, and the connection is gone without a farewell.
                why = f"unexpected frame size {len(message)}, when required {self._frame_bytes}"
                raise BadMessage(why, ABNORMAL_CLOSE)
            return Audio(self._codec.to_line(message))
        try:
            body = json.loads(message)
        except (ValueError, RecursionError):
            return Ignored("the message is not JSON")
        match body:
            case {"action": "notify", "payload": dict() as payload}:
                return MarkOrder(payload)
            case {"action": "clear"}:
                return ClearOrder()
        return Ignored("the message is no action")
