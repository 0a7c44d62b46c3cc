"""Reads TwiML into steps. Verbs that this box does not act out are kept as unknown, so that the timeline shows them."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin

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

LARGEST = 64 * 1024
PARAMETER_LIMIT = 500


@dataclass(frozen=True)
class StreamOptions:
    """What only Twilio's `<Stream>` has."""

    name: str = ""
    status_callback: str = ""
    status_method: str = "POST"


def read_twiml(body: bytes, base: str) -> list[Step]:
    """`base` is the document's own address: TwiML may name others relative to it."""
    return [step for verb in read_xml(body, "Response", LARGEST) for step in _steps(verb, base)]


def _steps(verb: ET.Element, base: str) -> list[Step]:
    reader = _VERBS.get(verb.tag)
    return reader(verb, base) if reader else [Unknown(str(verb.tag))]


def _say(verb: ET.Element, _base: str) -> list[Step]:
    return [Speak(text_of(verb))] * max(1, whole(verb, "loop", 1, 0, 1000)) if text_of(verb) else []


def _play(verb: ET.Element, base: str) -> list[Step]:
    digits = verb.get("digits")
    if digits is None:
        return [PlayUrl(urljoin(base, text_of(verb)))]
    if any(key not in PAIRS and key not in PAUSES for key in digits):
        raise BadDocument(f"<Play digits={digits!r}> holds what is no key.")
    return [PressKeys(digits)]


def _pause(verb: ET.Element, _base: str) -> list[Step]:
    return [Pause(whole(verb, "length", 1, 0, 14_400))]


def _hang_up(_verb: ET.Element, _base: str) -> list[Step]:
    return [HangUp()]


def _reject(verb: ET.Element, _base: str) -> list[Step]:
    reason = verb.get("reason", "rejected")
    if reason not in ("busy", "rejected"):
        raise BadDocument(f"<Reject reason={reason!r}> must be busy or rejected.")
    return [Reject(busy=reason == "busy")]


def _redirect(verb: ET.Element, base: str) -> list[Step]:
    return [GoTo(urljoin(base, text_of(verb)), _method(verb, "method"))]


def _dial(verb: ET.Element, _base: str) -> list[Step]:
    noun = next(iter(verb), None)
    if noun is not None and noun.tag != "Number":
        return [Unknown(f"Dial/{noun.tag}")]
    number = text_of(verb if noun is None else noun)
    return [Dial(number, verb.get("callerId"), whole(verb, "timeout", 30, 1, 600))]


def _connect(verb: ET.Element, base: str) -> list[Step]:
    noun = next(iter(verb), None)
    if noun is None or noun.tag != "Stream":
        return [Unknown(f"Connect/{noun.tag if noun is not None else ''}")]
    url = noun.get("url", "")
    if not url.startswith(("ws://", "wss://")):
        raise BadDocument(f"<Stream url={url!r}> must be a WebSocket address.")
    callback = noun.get("statusCallback", "")
    options = StreamOptions(
        noun.get("name", ""), urljoin(base, callback) if callback else "", _method(noun, "statusCallbackMethod")
    )
    return [Connect(url, metadata=_parameters(noun), options=options)]


def _parameters(stream: ET.Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for parameter in stream.iter("Parameter"):
        name, value = parameter.get("name", ""), parameter.get("value", "")
        if not name or len(name) + len(value) > PARAMETER_LIMIT:
            raise BadDocument(f"<Parameter name={name!r}> needs a name, and at most {PARAMETER_LIMIT} characters.")
        found[name] = value
    return found


def _method(element: ET.Element, name: str) -> str:
    method = element.get(name, "POST").upper()
    if method not in ("GET", "POST"):
        raise BadDocument(f"<{element.tag} {name}={method!r}> must be GET or POST.")
    return method


_VERBS: dict[str, Callable[[ET.Element, str], list[Step]]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Hangup": _hang_up,
    "Reject": _reject,
    "Redirect": _redirect,
    "Dial": _dial,
    "Connect": _connect,
}
