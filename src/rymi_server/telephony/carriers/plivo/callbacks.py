"""What Plivo's callbacks say, in our words. The money is in the hang-up event already."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rymi_server.telephony.carriers.carrier import AnsweredBy, Incoming, LegReport, SignedRequest
from rymi_server.telephony.carriers.forms import fields_of, id_of, money, number_of, whole
from rymi_server.telephony.carriers.hooks import Hook
from rymi_server.telephony.models import LegReason, LegStatus

_STATUSES = {
    "queued": LegStatus.QUEUED,
    "ringing": LegStatus.RINGING,
    "in-progress": LegStatus.IN_PROGRESS,
    "completed": LegStatus.COMPLETED,
    "busy": LegStatus.FAILED,
    "no-answer": LegStatus.FAILED,
    "timeout": LegStatus.FAILED,
    "cancel": LegStatus.FAILED,
    "failed": LegStatus.FAILED,
}
_REASONS = {
    "busy": LegReason.BUSY,
    "no-answer": LegReason.NO_ANSWER,
    "timeout": LegReason.NO_ANSWER,
    "cancel": LegReason.CANCELED,
    "failed": LegReason.CARRIER,
}
_INVALID_NUMBERS = range(2000, 2071)
_CODES = {
    1000: LegReason.CANCELED,
    1010: LegReason.CANCELED,
    3000: LegReason.NO_ANSWER,
    3010: LegReason.BUSY,
    3020: LegReason.REJECTED,
    3050: LegReason.INVALID_NUMBER,
    3130: LegReason.SPAM_BLOCKED,
    3140: LegReason.SPAM_BLOCKED,
    6010: LegReason.NO_ANSWER,
    9100: LegReason.MACHINE,
}


def read_report(hook: Hook, request: SignedRequest) -> LegReport | None:
    fields = fields_of(request)
    request_id = id_of(fields.get("RequestUUID"))
    call = id_of(fields.get("CallUUID")) or request_id
    if call is None or hook is Hook.STREAM:
        return None
    report = _report(call, hook, fields)
    # The call was placed under the name of the request, which is the call's own in every region that we know of.
    return replace(report, aliases=(request_id,)) if request_id else report


def _report(call: str, hook: Hook, fields: Mapping[str, str]) -> LegReport:
    machine = AnsweredBy.MACHINE if fields.get("Machine", "").lower() == "true" else None
    event = fields.get("Event")
    if hook is Hook.MACHINE or event == "MachineDetection":
        return LegReport(call, answered_by=machine or AnsweredBy.UNKNOWN)
    if event == "Ring":
        return LegReport(call, LegStatus.RINGING)
    if event == "StartApp":
        return LegReport(call, LegStatus.IN_PROGRESS, answered_by=machine)
    word, code = fields.get("CallStatus", ""), whole(fields.get("HangupCauseCode"))
    status = _STATUSES.get(word)
    is_over = status in (LegStatus.COMPLETED, LegStatus.FAILED)
    return LegReport(
        call,
        status=status,
        reason=_reason(word, code) if status is LegStatus.FAILED else None,
        bill_seconds=whole(fields.get("BillDuration")) if is_over else None,
        cost=money(fields.get("TotalCost")) if is_over else None,
        answered_by=machine,
        cause=_cause(code, fields.get("HangupCauseName")),
    )


def read_live(call: Mapping[str, Any]) -> LegReport | None:
    """A call that is waiting or running, as REST shows it."""
    uuid = id_of(call.get("call_uuid") or call.get("request_uuid"))
    status = _STATUSES.get(str(call.get("call_status", "")), LegStatus.QUEUED)
    return LegReport(uuid, status) if uuid else None


def read_record(call: Mapping[str, Any]) -> LegReport | None:
    """The record of a call that is over. Whether somebody answered is told by the time of it."""
    uuid, code = id_of(call.get("call_uuid")), whole(call.get("hangup_cause_code"))
    if uuid is None:
        return None
    answered = bool(call.get("answer_time"))
    return LegReport(
        uuid,
        status=LegStatus.COMPLETED if answered else LegStatus.FAILED,
        reason=None if answered else _reason("", code),
        bill_seconds=whole(call.get("billed_duration")),
        cost=money(call.get("total_amount")),
        cause=_cause(code, call.get("hangup_cause_name")),
    )


def read_incoming(request: SignedRequest) -> Incoming | None:
    fields = fields_of(request)
    call, to = id_of(fields.get("CallUUID")), number_of(fields.get("To"))
    return Incoming(call, number_of(fields.get("From")), to) if call and to else None


def _reason(word: str, code: int | None) -> LegReason:
    if code in _INVALID_NUMBERS:
        return LegReason.INVALID_NUMBER
    return _CODES.get(code or 0) or _REASONS.get(word, LegReason.CARRIER)


def _cause(code: int | None, name: object) -> str | None:
    return f"{code} {name or ''}".strip()[:100] if code else None
