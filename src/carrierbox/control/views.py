"""How calls, faults and scripts look to the tester, as JSON."""

from carrierbox.accounts import Account
from carrierbox.calls.call import Call
from carrierbox.delivery.faults import Fault
from carrierbox.line.g711 import RATE
from carrierbox.numbers import OwnedNumber


def summary(call: Call) -> dict[str, object]:
    return {
        "id": call.id,
        "carrier": call.carrier,
        "account_id": call.account_id,
        "direction": str(call.direction),
        "from": call.caller,
        "to": call.callee,
        "state": str(call.state),
        "reason": call.ending and str(call.ending),
        "ended_by": call.ended_by and str(call.ended_by),
        "script": call.script_name,
        "parent_id": call.parent_id,
        "created_at": call.created_at.isoformat(),
        "answered_at": call.answered_at and call.answered_at.isoformat(),
        "ended_at": call.ended_at and call.ended_at.isoformat(),
        "queue_ms": call.queue_ms,
        "duration_s": call.duration_s,
        "machine": call.verdict and str(call.verdict.being),
        "heard_ms": len(call.heard) * 1000 // RATE,
    }


def detail(call: Call) -> dict[str, object]:
    timeline = [
        {"at": entry.at.isoformat(), "ms": entry.ms, "event": entry.event, **entry.detail} for entry in call.timeline
    ]
    return summary(call) | {"timeline": timeline}


def fault_view(fault: Fault) -> dict[str, object]:
    return {
        "id": fault.id,
        "target": str(fault.target),
        "act": str(fault.act),
        "carrier": fault.carrier,
        "call_id": fault.call_id,
        "event": fault.event,
        "times": fault.times,
        "ms": fault.ms,
        "status": fault.status,
    }


def account_view(account: Account) -> dict[str, object]:
    return {
        "carrier": account.carrier,
        "id": account.id,
        "secret": account.secret,
        "signature_secret": account.signature_secret,
        "name": account.name,
        "calls_per_second": account.calls_per_second,
        "status": account.status,
        "trial": account.trial,
    }


def number_view(number: OwnedNumber) -> dict[str, object]:
    return {
        "carrier": number.carrier,
        "account_id": number.account_id,
        "number": number.e164,
        "voice": number.voice,
        "settings": number.settings,
    }
