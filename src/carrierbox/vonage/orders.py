"""Reads the JSON of a call request, and refuses what Vonage refuses."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from carrierbox.calls.call import MachineDetection
from carrierbox.calls.steps import BadDocument, Step
from carrierbox.numbers import to_e164
from carrierbox.vonage.applications import Application, Webhook
from carrierbox.vonage.ncco import read_ncco
from carrierbox.vonage.problems import invalid
from carrierbox.vonage.terms import VonageTerms

Body = Mapping[str, object]


def read_terms(body: Body, application: Application) -> VonageTerms:
    """An event address of the call's own comes before the application's."""
    event = read_webhook(body, "event_url", "event_method", "POST")
    terms = VonageTerms(
        application.id,
        answer=read_webhook(body, "answer_url", "answer_method", "GET"),
        fallback=application.webhook("fallback_answer_url", "GET"),
        event=event if event.address else application.webhook("event_url", "POST"),
        steps=read_steps(body),
    )
    if terms.steps is None and not terms.answer.address:
        raise invalid("answer_url", "it or an ncco must be there")
    if terms.steps is not None and terms.answer.address:
        raise invalid("answer_url", "it cannot be there together with an ncco")
    return terms


def read_steps(body: Body) -> list[Step] | None:
    if "ncco" not in body:
        return None
    try:
        return read_ncco(body["ncco"])
    except BadDocument as error:
        raise invalid("ncco", str(error).rstrip(".")) from error


def read_callee(body: Body) -> tuple[str, str]:
    """The number to call, and the keys to press once it answers."""
    to = body.get("to")
    if not isinstance(to, list) or len(to) != 1 or not isinstance(to[0], dict):
        raise invalid("to", "it must be a list of one endpoint")
    endpoint = to[0]
    if endpoint.get("type") != "phone":
        raise invalid("to[0].type", "carrierbox calls only phones")
    return _number(endpoint.get("number"), "to[0].number"), str(endpoint.get("dtmfAnswer") or "").replace(" ", "")


def read_caller(body: Body) -> str | None:
    """`None` asks for any of the account's numbers."""
    if body.get("random_from_number") is True:
        return None
    caller = body.get("from")
    if not isinstance(caller, dict):
        raise invalid("from", "it or random_from_number must be there")
    return _number(caller.get("number"), "from.number")


def read_detection(body: Body) -> MachineDetection | None:
    plain, advanced = body.get("machine_detection"), body.get("advanced_machine_detection")
    if plain is not None and advanced is not None:
        raise invalid("advanced_machine_detection", "it excludes machine_detection")
    if isinstance(advanced, dict):
        mode, behavior = advanced.get("mode", "detect"), advanced.get("behavior", "continue")
        if mode not in ("default", "detect", "detect_beep") or behavior not in ("continue", "hangup"):
            raise invalid("advanced_machine_detection", "its mode or behavior is unknown")
        timeout = read_whole(advanced, "beep_timeout", 45, 1, 120)
        beep = mode == "detect_beep"
        return MachineDetection(hang_up=behavior == "hangup", await_beep=beep, timeout_ms=timeout * 1000)
    if plain is None:
        return None
    if plain not in ("continue", "hangup"):
        raise invalid("machine_detection", "it must be continue or hangup")
    return MachineDetection(hang_up=plain == "hangup")


def read_whole(body: Body, name: str, default: int, least: int, most: int) -> int:
    raw = body.get(name, default)
    number = int(raw) if isinstance(raw, str) and raw.isdecimal() else raw
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise invalid(name, f"it must be a whole number from {least} to {most}")
    return number


def read_webhook(body: Body, name: str, method_name: str, method: str) -> Webhook:
    given = body.get(name)
    if given is None:
        return Webhook("", method)
    if not isinstance(given, list) or len(given) != 1:
        raise invalid(name, "it must be a list of one address")
    chosen = str(body.get(method_name, method)).upper()
    if chosen not in ("GET", "POST"):
        raise invalid(method_name, "it must be GET or POST")
    return Webhook(read_url(given[0], name), chosen)


def read_url(raw: object, name: str) -> str:
    at = urlsplit(raw) if isinstance(raw, str) and raw.isprintable() else urlsplit("")
    if at.scheme not in ("http", "https") or not at.netloc:
        raise invalid(name, "it is not an address")
    return str(raw)


def _number(raw: object, name: str) -> str:
    number = to_e164(raw) if isinstance(raw, str) else None
    if number is None:
        raise invalid(name, "it is not a phone number")
    return number
