"""What Twilio's callbacks say, in our words."""

from collections.abc import Mapping
from typing import Any

from rymi_server.telephony.carriers.carrier import AnsweredBy, Incoming, LegReport, SignedRequest
from rymi_server.telephony.carriers.forms import currency, fields_of, id_of, money, number_of, whole
from rymi_server.telephony.carriers.hooks import Hook
from rymi_server.telephony.models import LegReason, LegStatus

_STATUSES = {
    "queued": LegStatus.QUEUED,
    "initiated": LegStatus.QUEUED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.IN_PROGRESS,
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.FAILED,
    "no-answer": LegStatus.FAILED,
    "canceled": LegStatus.FAILED,
    "failed": LegStatus.FAILED,
}
_REASONS = {
    "busy": LegReason.BUSY,
    "no-answer": LegReason.NO_ANSWER,
    "canceled": LegReason.CANCELED,
    "failed": LegReason.CARRIER,
}
_SIP_REASONS = {
    "404": LegReason.INVALID_NUMBER,
    "603": LegReason.REJECTED,
    "607": LegReason.SPAM_BLOCKED,
    "608": LegReason.SPAM_BLOCKED,
}


def read_report(hook: Hook, request: SignedRequest) -> LegReport | None:
    fields = fields_of(request)
    call = id_of(fields.get("CallSid"))
    if call is None or hook is Hook.STREAM:
        return None
    if hook is Hook.MACHINE:
        return LegReport(call, answered_by=answered_by(fields.get("AnsweredBy")))
    word = fields.get("CallStatus", "")
    sip = fields.get("SipResponseCode")
    return LegReport(
        call,
        status=_STATUSES.get(word),
        reason=_reason(word, sip),
        bill_seconds=whole(fields.get("CallDuration")),
        answered_by=answered_by(fields.get("AnsweredBy")),
        cause=f"SIP {sip}" if sip and sip.isdigit() else None,
    )


def read_call(call: Mapping[str, Any]) -> LegReport | None:
    """A call as REST shows it. The price is a negative amount, and comes minutes late."""
    sid, word = id_of(call.get("sid")), str(call.get("status", ""))
    if sid is None:
        return None
    return LegReport(
        sid,
        status=_STATUSES.get(word),
        reason=_REASONS.get(word),
        bill_seconds=whole(call.get("duration")),
        cost=money(call.get("price")),
        cost_currency=currency(call.get("price_unit")) or "USD",
        answered_by=answered_by(call.get("answered_by")),
    )


def read_incoming(request: SignedRequest) -> Incoming | None:
    fields = fields_of(request)
    call, to = id_of(fields.get("CallSid")), number_of(fields.get("To"))
    return Incoming(call, number_of(fields.get("From")), to) if call and to else None


def answered_by(word: str | None) -> AnsweredBy | None:
    if not word:
        return None
    if word == "human":
        return AnsweredBy.HUMAN
    return AnsweredBy.MACHINE if word.startswith("machine") or word == "fax" else AnsweredBy.UNKNOWN


def _reason(word: str, sip: str | None) -> LegReason | None:
    if word in ("busy", "failed") and sip in _SIP_REASONS:
        return _SIP_REASONS[sip]
    return _REASONS.get(word)
