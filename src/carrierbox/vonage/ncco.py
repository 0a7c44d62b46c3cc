"""Reads an NCCO, Vonage's list of actions, into steps. Actions that this box does not act out are kept as unknown."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from carrierbox.calls.steps import BadDocument, Connect, Dial, Pause, PlayUrl, Speak, Step, Unknown
from carrierbox.vonage.applications import Webhook

LARGEST_HEADERS = 512
RATES = {f"audio/l16;rate={rate}": rate for rate in (8000, 16_000, 24_000)}
OTHERS = {"record", "conversation", "input", "notify", "pay"}
Action = Mapping[str, object]


@dataclass(frozen=True)
class SocketOptions:
    """What only Vonage's WebSocket endpoint has."""

    event: Webhook | None = None
    authorization: str = ""
    value: str = ""


def parse_ncco(body: bytes) -> list[Step]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raise BadDocument("The NCCO is not JSON.") from None
    return read_ncco(raw)


def read_ncco(raw: object) -> list[Step]:
    if not isinstance(raw, list):
        raise BadDocument("The NCCO is not a list of actions.")
    return [step for action in raw for step in _steps(action)]


def _steps(raw: object) -> list[Step]:
    action = _object(raw, "an action")
    name = action.get("action")
    reader = _ACTIONS.get(str(name))
    if reader is not None:
        return reader(action)
    if name in OTHERS:
        return [Unknown(str(name))]
    raise BadDocument(f"Vonage has no action {name!r}.")


def _talk(action: Action) -> list[Step]:
    return [Speak(_text(action.get("text"), "talk.text"))] * max(1, _whole(action, "loop", 1, 0, 1000))


def _stream(action: Action) -> list[Step]:
    return [PlayUrl(_first(action.get("streamUrl"), "stream.streamUrl"))]


def _wait(action: Action) -> list[Step]:
    return [Pause(_whole(action, "timeout", 10, 0, 7200))]


def _connect(action: Action) -> list[Step]:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, Sequence) or len(endpoints) != 1:
        raise BadDocument("connect.endpoint must hold exactly one endpoint.")
    endpoint = _object(endpoints[0], "connect.endpoint[0]")
    match endpoint.get("type"):
        case "websocket":
            return [_socket(action, endpoint)]
        case "phone":
            number, caller = _text(endpoint.get("number"), "connect.endpoint[0].number"), action.get("from")
            return [Dial(number, str(caller) if caller else None, _whole(action, "timeout", 60, 1, 120))]
        case "sip" | "app" | "vbc" as kind:
            return [Unknown(f"connect/{kind}")]
        case kind:
            raise BadDocument(f"Vonage connects to no {kind!r}.")


def _socket(action: Action, endpoint: Action) -> Connect:
    url, kind = endpoint.get("uri"), str(endpoint.get("content-type", "audio/l16;rate=16000")).replace(" ", "")
    if not isinstance(url, str) or not url.startswith(("ws://", "wss://")):
        raise BadDocument("connect.endpoint[0].uri must be a WebSocket address.")
    if kind not in RATES:
        raise BadDocument(f"content-type {kind!r} is none of {', '.join(RATES)}.")
    headers = _object(endpoint.get("headers", {}), "connect.endpoint[0].headers")
    if len(json.dumps(headers)) > LARGEST_HEADERS:
        raise BadDocument(f"headers holds more than {LARGEST_HEADERS} bytes.")
    event = Webhook(_first(action["eventUrl"], "connect.eventUrl"), _method(action)) if "eventUrl" in action else None
    metadata = {name: value if isinstance(value, str) else json.dumps(value) for name, value in headers.items()}
    options = SocketOptions(event, *_authorization(endpoint.get("authorization")))
    return Connect(url, RATES[kind], "l16", metadata, options=options)


def _authorization(raw: object) -> tuple[str, str]:
    if raw is None:
        return "", ""
    at = _object(raw, "authorization")
    kind = at.get("type")
    if kind == "vonage":
        return "vonage", ""
    if kind == "custom":
        return "custom", _text(at.get("value"), "authorization.value")
    raise BadDocument("authorization.type must be vonage or custom.")


def _object(raw: object, name: str) -> Mapping[str, object]:
    if not isinstance(raw, dict):
        raise BadDocument(f"{name} must be an object.")
    return raw


def _text(raw: object, name: str) -> str:
    if not isinstance(raw, str) or not raw or not raw.isprintable():
        raise BadDocument(f"{name} must be text.")
    return raw


def _first(raw: object, name: str) -> str:
    if not isinstance(raw, list) or len(raw) != 1:
        raise BadDocument(f"{name} must be a list of one address.")
    return _text(raw[0], name)


def _whole(action: Action, name: str, default: int, least: int, most: int) -> int:
    raw = action.get(name, default)
    if isinstance(raw, str) and raw.isdecimal():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        raise BadDocument(f"{name} must be a whole number from {least} to {most}.")
    return raw


def _method(action: Action) -> str:
    method = str(action.get("eventMethod", "POST")).upper()
    if method not in ("GET", "POST"):
        raise BadDocument("eventMethod must be GET or POST.")
    return method


_ACTIONS: dict[str, Callable[[Action], list[Step]]] = {
    "talk": _talk,
    "stream": _stream,
    "wait": _wait,
    "connect": _connect,
}
