"""The examples of the calls API, and whether an answer is like one of them.

Like means: every field of the example is there and of the same kind. Values that the example leaves no choice in (words
of the API, messages) are compared by who asks.
"""

from typing import Any

_SEGMENT: dict[str, Any] = {
    "speaker": "user",
    "text": "Hello",
    "sequence": 0,
    "started_at_ms": 0,
    "ended_at_ms": 900,
    "is_final": True,
    "source": "runtime",
}
_EVENT: dict[str, Any] = {
    "id": "evt_1",
    "level": "info",
    "source": "post_call",
    "message": "Post-call analysis completed.",
}
_LOGGED = {"call_id": "call_abc123", "level": "info", "created_at": "2026-03-01T10:00:00Z"}
_RECORDING: dict[str, Any] = {
    "id": "rec_1",
    "status": "ready",
    "format": "wav",
    "provider_recording_id": "prov_123",
    "metadata": {"stereo_mix": {"signed_url": "https://storage.rymi.live/recordings/..."}},
}
DETAIL: dict[str, Any] = {
    "id": "call_abc123",
    "status": "completed",
    "intelligence_status": "completed",
    "bill_duration": 145,
    "total_cost": 0.21,
    "transcript": {
        "text": "Caller: Hello\nAgent: Hi there, how can I help?",
        "segments": [_SEGMENT],
        "raw": [{"id": "t_1", "type": "user_input", "response": "Hello"}],
    },
    "recording": _RECORDING,
    "intelligence": {
        "status": "completed",
        "summary": "Caller asked for support and the agent resolved the issue.",
        "sentiment": "neutral",
        "structured_data": {"customer_intent": "support"},
        "evaluation": {"passed": True, "score": 1, "reasoning": "The issue was resolved successfully."},
        "errors": [],
    },
    "events": [_EVENT],
}
SUMMARY: dict[str, Any] = {
    "status": "completed",
    "sentiment": "positive",
    "summary": "The caller confirmed the appointment and no follow-up was needed.",
}
TRANSCRIPT: dict[str, Any] = {
    "transcript": [
        {
            "id": "t_1",
            "type": "user_input",
            "response": "Hello?",
            **{name: value for name, value in _SEGMENT.items() if name != "text"},
        }
    ],
    "text": "Caller: Hello?",
    "segments": [_SEGMENT],
}
RECORDING: dict[str, Any] = {"call_id": "call_abc123", "recording": _RECORDING}
EVENTS: dict[str, Any] = {
    "events": [
        {"id": "evt_1", **_LOGGED, "source": "lifecycle", "message": "Call created"},
        {"id": "evt_2", **_LOGGED, "source": "lifecycle", "message": "PSTN leg connected"},
        {"id": "evt_3", **_LOGGED, "source": "post_call", "message": "Post-call analysis completed."},
    ],
    "total": 3,
    "offset": 0,
    "limit": 20,
}
LIST: dict[str, Any] = {
    "calls": [
        {
            "id": "call_abc123",
            "room_name": "call_call_abc123",
            "agent_id": "550e8400-...",
            "status": "completed",
            "started_at": "2026-03-01T10:00:00Z",
            "ended_at": "2026-03-01T10:05:00Z",
            "bill_duration": 300,
            "total_cost": 0.30,
            "metadata": {"batch_id": "batch_1710"},
            "intelligence_status": "completed",
            "participant_count": 1,
            "primary_participant": {"identity": "+15551234567", "transport": "pstn"},
        }
    ],
    "total": 1,
    "limit": 50,
    "offset": 0,
    "next_cursor": None,
}
ENDED: dict[str, Any] = {"status": "ended", "id": "call_abc123", "message": "Call has been terminated."}
QUEUE_STATS: dict[str, Any] = {"waiting": 12, "active": 2, "completed": 340, "failed": 4}
REPROCESSED: dict[str, Any] = {
    "status": "queued",
    "job_id": "job_123",
    "message": "Post-call intelligence reprocessing has been queued.",
}
TOLD: dict[str, Any] = {
    "type": "call.intelligence.ready",
    "event": "call.intelligence.ready",
    "timestamp": "2026-04-01T12:30:00Z",
    "data": {
        "call_id": "call_abc123",
        "agent_id": "550e...",
        "status": "completed",
        "duration": 145,
        "cost": 0.21,
        "summary": "...",
        "sentiment": "positive",
        "intelligence_status": "completed",
        "transcript": {"text": "Caller: Hello?", "segments": [_SEGMENT]},
    },
}


def unlike(example: Any, answer: Any, where: str = "", may_be_null: frozenset[str] = frozenset()) -> list[str]:
    """What is missing in an answer, or of another kind than in the example: nothing, if they are alike.

    `may_be_null` are fields of which an answer does not always know the value.
    """
    if answer is None and where in may_be_null:
        return []
    if isinstance(example, dict) and isinstance(answer, dict):
        missing = [f"{where}.{name} is missing" for name in example if name not in answer]
        shared = [name for name in example if name in answer]
        return missing + [
            each for name in shared for each in unlike(example[name], answer[name], f"{where}.{name}", may_be_null)
        ]
    if isinstance(example, list) and isinstance(answer, list):
        if example and not answer:
            return [f"{where} is empty"]
        return (
            [each for one in answer for each in unlike(example[0], one, f"{where}[]", may_be_null)] if example else []
        )
    return [] if _kind(example) == _kind(answer) else [f"{where} is {answer!r} where the example has {example!r}"]


def _kind(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(type(value))
    return "number" if isinstance(value, int | float) else str(type(value))
