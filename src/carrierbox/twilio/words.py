"""Twilio's words for the state of a call, and the fields that describe it in callbacks and in REST."""

from datetime import datetime
from email.utils import format_datetime

from carrierbox.callees.script import Being
from carrierbox.calls.call import Call, Verdict
from carrierbox.calls.lifecycle import Ending, State
from carrierbox.twilio.terms import terms_of

API_VERSION = "2010-04-01"
PRICE_PER_MINUTE = 0.014
PRICE_KNOWN_AFTER_S = 5.0

_RUNNING = {
    State.QUEUED: "queued",
    State.INITIATED: "initiated",
    State.RINGING: "ringing",
    State.IN_PROGRESS: "in-progress",
}
_ENDED = {
    Ending.BUSY: "busy",
    Ending.NO_ANSWER: "no-answer",
    Ending.REJECTED: "busy",
    Ending.CANCELED: "canceled",
    Ending.UNREACHABLE: "failed",
}
_SIP = {
    Ending.BUSY: "486",
    Ending.NO_ANSWER: "487",
    Ending.REJECTED: "603",
    Ending.CANCELED: "487",
    Ending.UNREACHABLE: "404",
}


def status_of(call: Call) -> str:
    if not call.is_over:
        return _RUNNING[call.state]
    ending = call.ending or Ending.COMPLETED
    if call.answered_at is None and ending in (Ending.ANSWER_URL_FAILED, Ending.BAD_DOCUMENT):
        return "failed"
    return _ENDED.get(ending, "completed")


def sip_code_of(call: Call) -> str:
    return _SIP.get(call.ending or Ending.COMPLETED, "200")


def answered_by(verdict: Verdict, await_beep: bool) -> str:
    match verdict.being:
        case Being.HUMAN:
            return "human"
        case Being.UNKNOWN:
            return "unknown"
        case Being.MACHINE:
            return "machine_start" if not await_beep else "machine_end_beep" if verdict.beep else "machine_end_silence"


def call_fields(call: Call) -> dict[str, str]:
    """What every callback about a call says."""
    fields = {
        "CallSid": call.id,
        "AccountSid": call.account_id,
        "From": call.caller,
        "To": call.callee,
        "Caller": call.caller,
        "Called": call.callee,
        "CallStatus": status_of(call),
        "ApiVersion": API_VERSION,
        "Direction": terms_of(call).direction,
    }
    if call.parent_id:
        fields["ParentCallSid"] = call.parent_id
    return fields


def rfc2822(at: datetime | None) -> str | None:
    return format_datetime(at) if at else None


def render_call(call: Call, now: datetime) -> dict[str, object]:
    """The Call resource. The price comes late, as it does at Twilio."""
    base = f"/{API_VERSION}/Accounts/{call.account_id}/Calls/{call.id}"
    ended_for = (now - call.ended_at).total_seconds() if call.ended_at else 0.0
    priced = call.answered_at is not None and ended_for >= PRICE_KNOWN_AFTER_S
    detection = call.detection
    verdict = answered_by(call.verdict, detection.await_beep) if call.verdict and detection else None
    return {
        "sid": call.id,
        "account_sid": call.account_id,
        "parent_call_sid": call.parent_id,
        "phone_number_sid": terms_of(call).number_sid,
        "from": call.caller,
        "from_formatted": call.caller,
        "to": call.callee,
        "to_formatted": call.callee,
        "status": status_of(call),
        "direction": terms_of(call).direction,
        "answered_by": verdict,
        "duration": str(call.duration_s) if call.is_over else None,
        "start_time": rfc2822(call.answered_at or call.started_at),
        "end_time": rfc2822(call.ended_at),
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(call.ended_at or call.answered_at or call.created_at),
        "price": f"-{PRICE_PER_MINUTE * -(-call.duration_s // 60):.5f}" if priced else None,
        "price_unit": "USD",
        "queue_time": str(call.queue_ms),
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "annotation": None,
        "trunk_sid": None,
        "api_version": API_VERSION,
        "uri": f"{base}.json",
        "subresource_uris": {"streams": f"{base}/Streams.json"},
    }
