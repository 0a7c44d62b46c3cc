"""Reads the form of a Calls request, and refuses what Twilio refuses, under Twilio's codes."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from carrierbox.calls.call import MachineDetection
from carrierbox.calls.steps import BadDocument
from carrierbox.line.tones import PAIRS, PAUSES
from carrierbox.numbers import to_e164
from carrierbox.twilio.problems import TwilioProblem, bad_parameter
from carrierbox.twilio.terms import CALLBACK_EVENTS, TwilioTerms
from carrierbox.twilio.twiml import read_twiml

Form = Mapping[str, Sequence[str]]
MAX_TWIML = 4000


def one(form: Form, name: str, default: str = "") -> str:
    values = form.get(name)
    return values[-1] if values else default


def read_terms(form: Form) -> TwilioTerms:
    return TwilioTerms(
        url=read_url(form, "Url", 21205),
        method=read_method(form, "Method"),
        fallback_url=read_url(form, "FallbackUrl", 21205),
        fallback_method=read_method(form, "FallbackMethod"),
        twiml=_twiml(form),
        status_callback=read_url(form, "StatusCallback", 21609),
        status_method=read_method(form, "StatusCallbackMethod"),
        status_events=_events(form),
        async_amd_callback=read_url(form, "AsyncAmdStatusCallback", 21609),
        async_amd_method=read_method(form, "AsyncAmdStatusCallbackMethod"),
    )


def read_number(form: Form, name: str, missing: int, invalid: int) -> str:
    raw = one(form, name)
    if not raw:
        raise TwilioProblem(400, missing, f"No '{name}' number is specified")
    number = to_e164(raw)
    if number is None:
        raise TwilioProblem(
            400, invalid, f"The phone number you are attempting to use as '{name}', {raw}, is not valid."
        )
    return number


def read_detection(form: Form) -> MachineDetection | None:
    mode = one(form, "MachineDetection")
    if not mode or mode == "none" or one(form, "SendDigits"):
        return None
    if mode not in ("Enable", "DetectMessageEnd"):
        raise bad_parameter("MachineDetection", "it must be Enable or DetectMessageEnd")
    asynchronous = one(form, "AsyncAmd", "false").lower() == "true"
    timeout = read_whole(form, "MachineDetectionTimeout", 30, 3, 59)
    return MachineDetection(hold=not asynchronous, await_beep=mode == "DetectMessageEnd", timeout_ms=timeout * 1000)


def read_whole(form: Form, name: str, default: int, least: int, most: int) -> int:
    raw = one(form, name, str(default))
    if not raw.isdecimal() or not least <= int(raw) <= most:
        raise bad_parameter(name, f"it must be a whole number from {least} to {most}")
    return int(raw)


def read_digits(form: Form) -> str:
    digits = one(form, "SendDigits")
    if len(digits) > 32 or any(key not in PAIRS and key not in PAUSES for key in digits):
        raise bad_parameter("SendDigits", "at most 32 of 0-9 * # w W", 13_222)
    return digits


def read_url(form: Form, name: str, code: int) -> str:
    """Twilio takes no host with an underscore in it."""
    raw = one(form, name)
    if not raw:
        return ""
    try:
        at = urlsplit(raw)
        host = at.hostname or ""
    except ValueError:
        at, host = urlsplit(""), ""
    if at.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:-]+", host):
        raise TwilioProblem(400, code, f"{name} is not a valid URL: {raw}")
    return raw


def read_method(form: Form, name: str) -> str:
    method = one(form, name, "POST").upper()
    if method not in ("GET", "POST"):
        raise bad_parameter(name, "it must be GET or POST")
    return method


def _twiml(form: Form) -> str:
    """An inline document counts only when there is no address."""
    twiml = one(form, "Twiml")
    if not twiml or one(form, "Url"):
        return ""
    if len(twiml) > MAX_TWIML:
        raise bad_parameter("Twiml", f"it has {len(twiml)} characters; at most {MAX_TWIML} are taken", 21_218)
    try:
        read_twiml(twiml.encode(), "")
    except BadDocument as error:
        raise bad_parameter("Twiml", str(error), 12_100) from error
    return twiml


def _events(form: Form) -> frozenset[str]:
    asked = [event for value in form.get("StatusCallbackEvent", ()) for event in value.split()]
    unknown = [event for event in asked if event not in CALLBACK_EVENTS]
    if unknown:
        raise bad_parameter("StatusCallbackEvent", f"{unknown[0]} is none of {', '.join(CALLBACK_EVENTS)}", 21_626)
    return frozenset(asked) or frozenset({"completed"})
