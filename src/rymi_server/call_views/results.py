"""What a call has left behind, as the API writes it. What is not there yet is `NotReady`."""

from collections.abc import Sequence
from typing import Any

from rymi_server.calls import store
from rymi_server.calls.errors import NotReady
from rymi_server.calls.models import IntelligenceStatus
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.intelligence.models import Intelligence
from rymi_server.recordings import store as recordings
from rymi_server.recordings.shown import Signing
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.models import Entry, Speaker
from rymi_server.transcripts.reading import as_text


async def summary(tx: Transaction, tenant_id: TenantId, call_id: str) -> dict[str, Any]:
    call = await store.get(tx, tenant_id, call_id)
    found = await intelligence.shown(tx, call.id)
    if found is None or (found.status is not IntelligenceStatus.COMPLETED and found.summary is None):
        raise NotReady("Summary not yet available")
    return {"status": found.status, "sentiment": found.sentiment, "summary": found.summary}


async def transcript(tx: Transaction, tenant_id: TenantId, call_id: str) -> dict[str, Any]:
    call = await store.get(tx, tenant_id, call_id)
    entries = await transcripts.of_call(tx, call.id)
    if not entries:
        raise NotReady("Transcript not yet available")
    return {"transcript": raw(entries), "text": as_text(entries), "segments": segments(entries)}


async def recording(tx: Transaction, tenant_id: TenantId, call_id: str, signing: Signing) -> dict[str, Any]:
    call = await store.get(tx, tenant_id, call_id)
    found = await recordings.latest(tx, call.id)
    if found is None:
        raise NotReady("Recording not available")
    return {"call_id": call.id, "recording": signing.shown(found)}


def segments(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [
        {
            "speaker": entry.speaker,
            "text": entry.text,
            "participant_id": entry.participant_id,
            "identity": entry.identity,
            "sequence": entry.sequence,
            "started_at_ms": entry.started_at_ms,
            "ended_at_ms": entry.ended_at_ms,
            "is_final": entry.is_final,
            "source": entry.source,
        }
        for entry in entries
    ]


def raw(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Each line in both of the shapes that the API has promised: `type` with `response`, and `speaker` with `text`."""
    kinds = {Speaker.USER: "user_input", Speaker.AGENT: "ai_response"}
    return [
        {
            "id": f"t_{segment['sequence'] + 1}",
            "type": kinds[segment["speaker"]],
            "response": segment["text"],
            **segment,
        }
        for segment in segments(entries)
    ]


def intelligence_json(found: Intelligence) -> dict[str, Any]:
    return {
        "status": found.status,
        "revision": found.revision,
        "summary": found.summary,
        "sentiment": found.sentiment,
        "structured_data": found.structured_data,
        "evaluation": found.evaluation,
        "errors": found.errors,
        "details": found.details,
    }
