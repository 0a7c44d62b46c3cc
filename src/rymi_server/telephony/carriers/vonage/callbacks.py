"""What Vonage's events say, in our words. A call's socket is a leg with events of its own, under another id."""

import json
from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.carrier import AnsweredBy, Incoming, LegReport, SignedRequest
from rymi_server.telephony.carriers.forms import fields_of, id_of, money, number_of, whole
from rymi_server.telephony.carriers.hooks import Hook
from rymi_server.telephony.models import LegReason, LegStatus

_STATUSES = {
    "started": LegStatus.QUEUED,
    "ringing": LegStatus.RINGING,
    "answered": LegStatus.IN_PROGRESS,
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.FAILED,
    "unanswered": LegStatus.FAILED,
    "timeout": LegStatus.FAILED,
    "cancelled": LegStatus.FAILED,
    "rejected": LegStatus.FAILED,
    "failed": LegStatus.FAILED,
}
_REASONS = {
    "busy": LegReason.BUSY,
    "unanswered": LegReason.NO_ANSWER,
    "timeout": LegReason.NO_ANSWER,
    "cancelled": LegReason.CANCELED,
    "rejected": LegReason.REJECTED,
    "failed": LegReason.CARRIER,
}
_DETAILS = {
    "invalid_number": LegReason.INVALID_NUMBER,
    "restricted": LegReason.SPAM_BLOCKED,
}
_ANSWERED_BY = {"human": AnsweredBy.HUMAN, "machine": AnsweredBy.MACHINE}


def read_report(hook: Hook, request: SignedRequest) -> LegReport | None:
    fields = fields_in(request)
    if hook is Hook.STREAM or str(fields.get("to", "")).startswith(("ws:", "wss:")):
        return None
    if hook is Hook.ANSWER:
        call = id_of(fields.get("uuid"))
        # The document of an incoming call is asked for before anybody has answered it.
        return LegReport(call, LegStatus.IN_PROGRESS) if call else None
    return read_call(fields)


def read_call(fields: Mapping[str, Any]) -> LegReport | None:
    """An event, or a call as REST shows it: both have the same words."""
    # The verdict on a machine names the call by another word.
    call = id_of(fields.get("uuid") or fields.get("call_uuid"))
    if call is None:
        return None
    word, detail = str(fields.get("status", "")), str(fields.get("detail", ""))
    if word in _ANSWERED_BY:
        return LegReport(call, answered_by=_ANSWERED_BY[word])
    return LegReport(
        call,
        status=_STATUSES.get(word),
        reason=_DETAILS.get(detail) or _REASONS.get(word) if word in _REASONS else None,
        bill_seconds=whole(fields.get("duration")),
        cost=money(fields.get("price")),
        # Vonage names no currency; its accounts are kept in euros.
        cost_currency="EUR",
        cause=f"{word} {detail}".strip()[:100] if word in _REASONS else None,
    )


def read_incoming(request: SignedRequest) -> Incoming | None:
    fields = fields_in(request)
    call, to = id_of(fields.get("uuid")), number_of(_text(fields, "to"))
    if call is None or to is None:
        return None
    return Incoming(call, number_of(_text(fields, "from")), to, _text(fields, "region_url") or None)


def fields_in(request: SignedRequest) -> Mapping[str, Any]:
    if request.method == "GET":
        return fields_of(request)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) and "\0" not in value else ""
