"""Parts of a call as the API writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rymi_server.calls.models import Participant, Transport
from rymi_server.telephony.models import Leg


def instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second or as exactly as is known."""
    return at.astimezone(UTC).isoformat()[:-6] + "Z" if at else None


def amount(money: Decimal | None) -> float | None:
    """JSON has no decimals. This is where money becomes a number, and from here on nobody calculates with it."""
    return float(money) if money is not None else None


def participant(person: Participant, leg: Leg | None, access: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A participant as the answer to its invitation shows it."""
    shown: dict[str, Any] = {
        "id": person.id,
        "transport": person.transport,
        "identity": person.identity,
        "status": person.status,
    }
    if access:
        shown["access"] = dict(access)
    if leg:
        # The dial job is named for the leg, so that it exists once.
        shown |= {"telephony_leg_id": leg.id, "job_id": leg.id}
    return shown


def tracked_participant(person: Participant, leg: Leg | None) -> dict[str, Any]:
    """A participant with all that happened to it."""
    shown = {
        **participant(person, None),
        "call_id": person.call_id,
        "role": person.role,
        "metadata": person.metadata,
        "leave_reason": person.leave_reason,
        "joined_at": instant(person.joined_at),
        "left_at": instant(person.left_at),
    }
    if person.transport is Transport.PSTN:
        shown["telephony_leg"] = _leg(leg) if leg else None
    return shown


def _leg(leg: Leg) -> dict[str, Any]:
    return {
        "id": leg.id,
        "provider": leg.provider,
        "provider_call_id": leg.provider_call_id,
        "direction": leg.direction,
        "status": leg.status,
        "reason": leg.reason,
        "cause": leg.cause,
        "answered_by": leg.answered_by,
        "from_number": leg.from_number,
        "to_number": leg.to_number,
        "bill_duration": leg.bill_duration,
        "cost": amount(leg.cost),
        "cost_currency": leg.cost_currency,
    }
