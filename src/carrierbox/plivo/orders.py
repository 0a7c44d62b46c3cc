"""Reads the JSON of a Call request, and refuses what Plivo refuses."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from carrierbox.calls.call import MachineDetection
from carrierbox.line.tones import PAIRS, PAUSES
from carrierbox.numbers import to_e164
from carrierbox.plivo.problems import PlivoProblem
from carrierbox.plivo.terms import PlivoTerms

Body = Mapping[str, object]


def read_terms(body: Body) -> PlivoTerms:
    return PlivoTerms(
        answer_url=read_url(body, "answer_url", required=True),
        answer_method=read_method(body, "answer_method"),
        fallback_url=read_url(body, "fallback_url"),
        fallback_method=read_method(body, "fallback_method"),
        ring_url=read_url(body, "ring_url"),
        ring_method=read_method(body, "ring_method"),
        hangup_url=read_url(body, "hangup_url"),
        hangup_method=read_method(body, "hangup_method"),
        machine_url=read_url(body, "machine_detection_url"),
        machine_method=read_method(body, "machine_detection_method"),
    )


def read_number(body: Body, name: str) -> str:
    raw = str(body.get(name, ""))
    if not raw:
        raise PlivoProblem(400, f"{name} parameter not present")
    if "<" in raw:
        raise PlivoProblem(400, f"{name} parameter is invalid: carrierbox dials one number a request")
    number = to_e164(raw)
    if number is None:
        raise PlivoProblem(400, f"{name} parameter is invalid")
    return number


def read_detection(body: Body) -> MachineDetection | None:
    mode = str(body.get("machine_detection", "")).lower()
    if mode in ("", "false"):
        return None
    if mode not in ("true", "hangup"):
        raise PlivoProblem(400, "machine_detection parameter is invalid: it must be true or hangup")
    timeout = read_whole(body, "machine_detection_time", 5000, 2000, 10_000)
    alone = mode == "true" and not body.get("machine_detection_url")
    return MachineDetection(hold=alone, hang_up=mode == "hangup", timeout_ms=timeout)


def read_whole(body: Body, name: str, default: int, least: int, most: int) -> int:
    raw = str(body.get(name, default))
    if not raw.isdecimal() or not least <= int(raw) <= most:
        raise PlivoProblem(400, f"{name} parameter is invalid: it must be from {least} to {most}")
    return int(raw)


def read_digits(body: Body, name: str) -> str:
    digits = str(body.get(name, ""))
    if len(digits) > 64 or any(key not in PAIRS and key not in PAUSES for key in digits):
        raise PlivoProblem(400, f"{name} parameter is invalid")
    return digits


def read_url(body: Body, name: str, required: bool = False) -> str:
    raw = body.get(name, "")
    if not raw and not required:
        return ""
    at = urlsplit(raw) if isinstance(raw, str) and raw.isprintable() else urlsplit("")
    if at.scheme not in ("http", "https") or not at.netloc:
        raise PlivoProblem(400, f"{name} parameter is {'invalid' if raw else 'not present'}")
    return str(raw)


def read_method(body: Body, name: str) -> str:
    method = str(body.get(name, "POST")).upper()
    if method not in ("GET", "POST"):
        raise PlivoProblem(400, f"{name} parameter is invalid: it must be GET or POST")
    return method
