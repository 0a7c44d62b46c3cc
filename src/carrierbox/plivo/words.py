"""Plivo's words for the state of a call, why it ended, and the fields that say so."""

from datetime import datetime

from carrierbox.calls.call import Call
from carrierbox.calls.lifecycle import Direction, EndedBy, Ending, State

RATE_PER_MINUTE = 0.0115

_RUNNING = {
    State.QUEUED: "queued",
    State.INITIATED: "queued",
    State.RINGING: "ringing",
    State.IN_PROGRESS: "in-progress",
}
_ENDED = {
    Ending.BUSY: "busy",
    Ending.NO_ANSWER: "no-answer",
    Ending.REJECTED: "failed",
    Ending.CANCELED: "cancel",
    Ending.UNREACHABLE: "failed",
}
_CAUSES = {
    Ending.COMPLETED: (4000, "Normal Hangup"),
    Ending.BUSY: (3010, "Busy Line"),
    Ending.NO_ANSWER: (3000, "No Answer"),
    Ending.REJECTED: (3020, "Rejected"),
    Ending.CANCELED: (1000, "Cancelled"),
    Ending.UNREACHABLE: (3050, "Unallocated Number"),
    Ending.MACHINE: (9100, "Machine Detected"),
    Ending.TIME_LIMIT: (6000, "Execution Time Limit Reached"),
    Ending.ANSWER_URL_FAILED: (7011, "Error Reaching Answer URL"),
    Ending.BAD_DOCUMENT: (8011, "Invalid Answer XML"),
    Ending.DOCUMENT_OVER: (4010, "End Of XML Instructions"),
}
_SOURCES = {
    EndedBy.API: "API Request",
    EndedBy.CARRIER: "Plivo",
    EndedBy.CONTROL: "Plivo",
}


def bare(number: str) -> str:
    """Plivo writes numbers without a plus."""
    return number.removeprefix("+")


def status_of(call: Call) -> str:
    if not call.is_over:
        return _RUNNING[call.state]
    failed = call.answered_at is None and call.ending in (Ending.ANSWER_URL_FAILED, Ending.BAD_DOCUMENT)
    return "failed" if failed else _ENDED.get(call.ending or Ending.COMPLETED, "completed")


def cause_of(call: Call) -> tuple[int, str]:
    return _CAUSES[call.ending or Ending.COMPLETED]


def source_of(call: Call) -> str:
    by = call.ended_by or EndedBy.CARRIER
    phone = "Callee" if call.direction is Direction.OUTBOUND else "Caller"
    return _SOURCES.get(by, phone)


def stamp(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S") if at else ""


def cost_of(call: Call) -> str:
    return f"{RATE_PER_MINUTE * -(-call.duration_s // 60):.5f}"


def call_fields(call: Call) -> dict[str, str]:
    """What every callback about a call says."""
    return {
        "CallUUID": call.id,
        "RequestUUID": call.id,
        "ALegUUID": call.parent_id or call.id,
        "ALegRequestUUID": call.parent_id or call.id,
        "From": bare(call.caller),
        "To": bare(call.callee),
        "Direction": str(call.direction),
        "CallStatus": status_of(call),
        "SessionStart": stamp(call.created_at),
        "STIRVerification": "Verified" if call.direction is Direction.INBOUND else "Not Applicable",
    }


def end_fields(call: Call) -> dict[str, str]:
    code, name = cause_of(call)
    return {
        "HangupCause": "NORMAL_CLEARING" if code == 4000 else name.upper().replace(" ", "_"),
        "HangupCauseName": name,
        "HangupCauseCode": str(code),
        "HangupSource": source_of(call),
        "Duration": str(call.duration_s),
        "BillDuration": str(-(-call.duration_s // 60) * 60),
        "BillRate": f"{RATE_PER_MINUTE:.5f}",
        "TotalCost": cost_of(call),
        "StartTime": stamp(call.started_at or call.created_at),
        "AnswerTime": stamp(call.answered_at),
        "EndTime": stamp(call.ended_at),
        "CarrierFailoverTriggered": "false",
    }


def render_record(call: Call) -> dict[str, object]:
    """The call detail record, as it stands after the call."""
    code, name = cause_of(call)
    return {
        "call_uuid": call.id,
        "parent_call_uuid": call.parent_id,
        "from_number": bare(call.caller),
        "to_number": bare(call.callee),
        "call_direction": str(call.direction),
        "call_state": "ANSWER" if call.answered_at else status_of(call).upper(),
        "call_duration": call.duration_s,
        "bill_duration": call.duration_s,
        "billed_duration": -(-call.duration_s // 60) * 60,
        "total_amount": cost_of(call),
        "total_rate": f"{RATE_PER_MINUTE:.5f}",
        "initiation_time": stamp(call.created_at),
        "answer_time": stamp(call.answered_at) or None,
        "end_time": stamp(call.ended_at),
        "hangup_cause_name": name,
        "hangup_cause_code": code,
        "hangup_source": source_of(call),
        "stir_verification": "Not Applicable",
        "resource_uri": f"/v1/Account/{call.account_id}/Call/{call.id}/",
    }


def render_live(call: Call) -> dict[str, object]:
    return {
        "call_uuid": call.id,
        "request_uuid": call.id,
        "direction": str(call.direction),
        "from": bare(call.caller),
        "to": bare(call.callee),
        "call_status": status_of(call),
        "caller_name": "",
        "session_start": stamp(call.answered_at or call.created_at),
    }
