"""A page of calls, as the API writes it."""

from typing import Any

from rymi_server.call_views.shapes import amount, instant
from rymi_server.calls.listing import ListedCall, Listing
from rymi_server.foundation.pagination import Window
from rymi_server.rooms.naming import room_name


def as_json(listing: Listing, window: Window) -> dict[str, Any]:
    return {
        "calls": [_call(listed) for listed in listing.calls],
        "total": listing.total,
        "limit": window.limit,
        "offset": window.offset,
        "next_cursor": listing.next_cursor,
    }


def _call(listed: ListedCall) -> dict[str, Any]:
    call = listed.call
    first = None
    if listed.primary_identity is not None:
        first = {"identity": listed.primary_identity, "transport": listed.primary_transport}
    return {
        "id": call.id,
        "room_name": room_name(call.id),
        "agent_id": call.agent_id,
        "status": call.status,
        "created_at": instant(call.created_at),
        "started_at": instant(call.started_at),
        "ended_at": instant(call.ended_at),
        "end_reason": call.end_reason,
        "bill_duration": call.bill_duration,
        "total_cost": amount(call.total_cost),
        "metadata": call.metadata,
        "intelligence_status": call.intelligence_status,
        "participant_count": listed.participant_count,
        "primary_participant": first,
    }
