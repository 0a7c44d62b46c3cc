"""Vonage's words for the state of a call, and the fields that describe it in events and in REST."""

from datetime import datetime

from carrierbox.calls.call import Call
from carrierbox.calls.lifecycle import Ending, State
from carrierbox.vonage.terms import terms_of

RATE_PER_MINUTE = 0.0139

_RUNNING = {
    State.QUEUED: "started",
    State.INITIATED: "started",
    State.RINGING: "ringing",
    State.IN_PROGRESS: "answered",
}
_ENDED = {
    Ending.BUSY: "busy",
    Ending.NO_ANSWER: "timeout",
    Ending.REJECTED: "rejected",
    Ending.CANCELED: "cancelled",
    Ending.UNREACHABLE: "rejected",
    Ending.ANSWER_URL_FAILED: "failed",
    Ending.BAD_DOCUMENT: "failed",
}
_DETAILS = {
    Ending.REJECTED: "declined",
    Ending.UNREACHABLE: "invalid_number",
    Ending.NO_ANSWER: "timeout",
    Ending.ANSWER_URL_FAILED: "internal_error",
    Ending.BAD_DOCUMENT: "internal_error",
}


def bare(number: str) -> str:
    """Vonage writes numbers without a plus."""
    return number.removeprefix("+")


def status_of(call: Call) -> str:
    if not call.is_over:
        return _RUNNING[call.state]
    if call.answered_at is not None:
        return "completed"
    return _ENDED.get(call.ending or Ending.COMPLETED, "completed")


def stamp(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else None


def money(call: Call) -> dict[str, object]:
    return {
        "rate": f"{RATE_PER_MINUTE:.8f}",
        "price": f"{RATE_PER_MINUTE * call.duration_s / 60:.8f}",
        "duration": str(call.duration_s),
        "start_time": stamp(call.answered_at),
        "end_time": stamp(call.ended_at),
        "network": "US-FIXED",
    }


def event_fields(call: Call, now: datetime) -> dict[str, object]:
    """What an event about the phone's leg says."""
    status = status_of(call)
    fields: dict[str, object] = {
        "uuid": call.id,
        "conversation_uuid": terms_of(call).conversation_uuid,
        "status": status,
        "direction": str(call.direction),
        "from": bare(call.caller),
        "to": bare(call.callee),
        "timestamp": stamp(now),
    }
    if status == "completed":
        fields |= money(call) | {"disconnected_by": "user" if call.ended_by == "party" else "platform"}
    elif call.is_over and call.ending in _DETAILS:
        fields["detail"] = _DETAILS[call.ending]
    return fields


def render_call(call: Call) -> dict[str, object]:
    return {
        "_links": {"self": {"href": f"/v1/calls/{call.id}"}},
        "uuid": call.id,
        "conversation_uuid": terms_of(call).conversation_uuid,
        "to": {"type": "phone", "number": bare(call.callee)},
        "from": {"type": "phone", "number": bare(call.caller)},
        "status": status_of(call),
        "direction": str(call.direction),
        **(money(call) if status_of(call) == "completed" else {}),
    }
