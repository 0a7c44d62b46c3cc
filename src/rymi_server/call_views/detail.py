"""Everything about one call, as the API writes it."""

from typing import Any

from rymi_server.call_views import results
from rymi_server.call_views.shapes import amount, instant, tracked_participant
from rymi_server.calls import store
from rymi_server.events import store as events
from rymi_server.events.models import Event
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.pagination import Window
from rymi_server.intelligence import store as intelligence
from rymi_server.recordings import store as recordings
from rymi_server.recordings.shown import Signing
from rymi_server.rooms.naming import room_name
from rymi_server.telephony import store as legs
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.reading import as_text

_EVENTS_SHOWN = 200


async def detail(tx: Transaction, tenant_id: TenantId, call_id: str, signing: Signing) -> dict[str, Any]:
    call = await store.get(tx, tenant_id, call_id)
    agent = await store.frozen_agent(tx, call.id)
    leg_of = {leg.participant_id: leg for leg in await legs.of_call(tx, call.id)}
    people = await store.participants_of(tx, call.id)
    said = await transcripts.of_call(tx, call.id)
    recorded = await recordings.latest(tx, call.id)
    found = await intelligence.shown(tx, call.id)
    log = await events.page(tx, call.id, Window(_EVENTS_SHOWN))
    return {
        "id": call.id,
        "room_name": room_name(call.id),
        "agent_id": call.agent_id,
        "agent": {"id": agent["id"], "name": agent["name"]},
        "direction": call.direction,
        "status": call.status,
        "end_reason": call.end_reason,
        "intelligence_status": call.intelligence_status,
        "bill_duration": call.bill_duration,
        "total_cost": amount(call.total_cost),
        "created_at": instant(call.created_at),
        "started_at": instant(call.started_at),
        "ended_at": instant(call.ended_at),
        "metadata": call.metadata,
        "variables": call.variables,
        "post_call": call.post_call,
        "participants": [tracked_participant(person, leg_of.get(person.id)) for person in people],
        "transcript": {"text": as_text(said), "segments": results.segments(said), "raw": results.raw(said)}
        if said
        else None,
        "recording": signing.shown(recorded) if recorded else None,
        "intelligence": results.intelligence_json(found) if found else None,
        "events": [event_json(event) for event in log.rows],
    }


async def call_events(tx: Transaction, tenant_id: TenantId, call_id: str, window: Window) -> dict[str, Any]:
    call = await store.get(tx, tenant_id, call_id)
    page = await events.page(tx, call.id, window)
    return page.as_json("events", [event_json(event) for event in page.rows], window)


def event_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "call_id": event.call_id,
        "level": event.level,
        "source": event.source,
        "message": event.message,
        "created_at": instant(event.created_at),
    }
