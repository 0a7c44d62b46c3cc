"""Reads Plivo XML into steps. An element that Plivo does not have makes the whole document invalid."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass

from carrierbox.calls.steps import (
    BadDocument,
    Connect,
    Dial,
    GoTo,
    HangUp,
    Pause,
    PlayUrl,
    PressKeys,
    Reject,
    Speak,
    Step,
    Unknown,
)
from carrierbox.calls.xml_document import read_xml, text_of, whole
from carrierbox.line.tones import PAIRS, PAUSES

LARGEST = 100 * 1024
LONGEST_URL = 2048
LONGEST_EXTRA_HEADERS = 512
# Elements that Plivo has and this box does not act out.
OTHERS = {"Conference", "GetDigits", "GetInput", "Message", "MultiPartyCall", "PreAnswer", "Record"}
FORMATS = {
    "audio/x-mulaw;rate=8000": ("mulaw", 8000),
    "audio/x-l16;rate=8000": ("l16", 8000),
    "audio/x-l16;rate=16000": ("l16", 16_000),
    "audio/x-l16;rate=24000": ("l16", 24_000),
}


@dataclass(frozen=True)
class StreamOptions:
    """What only Plivo's `<Stream>` has."""

    bidirectional: bool = False
    extra_headers: str = ""
    status_callback: str = ""
    status_method: str = "POST"


def read_plivo_xml(body: bytes) -> list[Step]:
    return [step for element in read_xml(body, "Response", LARGEST) for step in _steps(element)]


def _steps(element: ET.Element) -> list[Step]:
    reader = _ELEMENTS.get(element.tag)
    if reader is not None:
        return reader(element)
    if element.tag in OTHERS:
        return [Unknown(str(element.tag))]
    raise BadDocument(f"Plivo has no <{element.tag}>.")


def _speak(element: ET.Element) -> list[Step]:
    return [Speak(text_of(element))] * max(1, whole(element, "loop", 1, 0, 1000)) if text_of(element) else []


def _play(element: ET.Element) -> list[Step]:
    return [PlayUrl(text_of(element))]


def _wait(element: ET.Element) -> list[Step]:
    return [Pause(whole(element, "length", 1, 1, 86_400))]


def _hang_up(element: ET.Element) -> list[Step]:
    reason = element.get("reason")
    if reason not in (None, "rejected", "busy"):
        raise BadDocument(f"<Hangup reason={reason!r}> must be rejected or busy.")
    if reason is not None:
        return [Reject(busy=reason == "busy")]
    return [HangUp()]


def _redirect(element: ET.Element) -> list[Step]:
    return [GoTo(text_of(element), _method(element, "method"))]


def _dial(element: ET.Element) -> list[Step]:
    noun = next(iter(element), None)
    if noun is None or noun.tag != "Number":
        return [Unknown("Dial")]
    return [Dial(text_of(noun), element.get("callerId"), whole(element, "timeout", 60, 1, 600))]


def _keys(element: ET.Element) -> list[Step]:
    digits = text_of(element)
    if not digits or any(key not in PAIRS and key not in PAUSES for key in digits):
        raise BadDocument(f"<DTMF>{digits}</DTMF> holds what is no key.")
    return [PressKeys(digits)]


def _stream(element: ET.Element) -> list[Step]:
    url, extra = text_of(element), element.get("extraHeaders", "")
    if not url.startswith(("ws://", "wss://")) or len(url) > LONGEST_URL:
        raise BadDocument(f"<Stream>{url}</Stream> must be a WebSocket address of at most {LONGEST_URL} characters.")
    if len(extra.encode()) > LONGEST_EXTRA_HEADERS:
        raise BadDocument(f"extraHeaders has more than {LONGEST_EXTRA_HEADERS} bytes.")
    two_way = _flag(element, "bidirectional")
    if two_way and element.get("audioTrack", "inbound") != "inbound":
        raise BadDocument("A bidirectional <Stream> takes only audioTrack inbound.")
    kind = element.get("contentType", "audio/x-l16;rate=8000").replace(" ", "")
    if kind not in FORMATS:
        raise BadDocument(f"contentType {kind!r} is none of {', '.join(FORMATS)}.")
    encoding, rate = FORMATS[kind]
    stays = _flag(element, "keepCallAlive")
    options = StreamOptions(
        two_way, extra, element.get("statusCallbackUrl", ""), _method(element, "statusCallbackMethod")
    )
    return [Connect(url, rate, encoding, stays=stays, background=not stays, options=options)]


def _flag(element: ET.Element, name: str) -> bool:
    value = element.get(name, "false").lower()
    if value not in ("true", "false"):
        raise BadDocument(f"<{element.tag} {name}={value!r}> must be true or false.")
    return value == "true"


def _method(element: ET.Element, name: str) -> str:
    method = element.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise BadDocument(f"<{element.tag} {name}={method!r}> must be GET or POST.")
    return method


_ELEMENTS: dict[str, Callable[[ET.Element], list[Step]]] = {
    "Speak": _speak,
    "Play": _play,
    "Wait": _wait,
    "Hangup": _hang_up,
    "Redirect": _redirect,
    "Dial": _dial,
    "DTMF": _keys,
    "Stream": _stream,
}
