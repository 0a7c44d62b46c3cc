"""Examples for the API's document. A test holds each against the schema that it stands beside."""

_CALL = "01936f0e-7c1a-7e3c-9d53-6a1f2b3c4d5e"
_AGENT = {"id": "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e", "name": "Aria"}
_PERSON = "01936f0e-7c1a-7f00-8000-0242ac120002"
_LEG = "leg_01936f0e7c1a7f018000000000000001"

WEB_CALL = {
    "id": _CALL,
    "room_name": f"call_{_CALL}",
    "status": "connecting",
    "participants": [
        {
            "id": _PERSON,
            "transport": "webrtc",
            "identity": "browser-tab-1",
            "status": "joining",
            "access": {"url": "ws://localhost:7880", "token": "eyJ..."},
        }
    ],
    "agent": _AGENT,
}
PHONE_CALL = {
    "id": _CALL,
    "room_name": f"call_{_CALL}",
    "status": "queued",
    "participants": [
        {
            "id": _PERSON,
            "transport": "pstn",
            "identity": "+15551234567",
            "status": "queued",
            "telephony_leg_id": _LEG,
            "job_id": _LEG,
        }
    ],
    "agent": _AGENT,
}
CALL_LIST = {
    "calls": [
        {
            "id": _CALL,
            "room_name": f"call_{_CALL}",
            "agent_id": _AGENT["id"],
            "status": "completed",
            "created_at": "2026-03-01T09:59:58Z",
            "started_at": "2026-03-01T10:00:00Z",
            "ended_at": "2026-03-01T10:05:00Z",
            "end_reason": "user_disconnect",
            "bill_duration": 300,
            "total_cost": 0.25,
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
_SEGMENT = {
    "speaker": "user",
    "text": "Hello?",
    "participant_id": _PERSON,
    "identity": "browser-tab-1",
    "sequence": 0,
    "started_at_ms": 0,
    "ended_at_ms": 850,
    "is_final": True,
    "source": "runtime",
}
_RAW = {"id": "t_1", "type": "user_input", "response": "Hello?", **_SEGMENT}
TRANSCRIPT = {"transcript": [_RAW], "text": "Caller: Hello?", "segments": [_SEGMENT]}
_RECORDING = {
    "id": "rec_1",
    "status": "ready",
    "format": "wav",
    "provider_recording_id": "run_01936f0e7c1a7f0080000242ac120002-0",
    "metadata": {"stereo_mix": {"signed_url": "http://localhost:8000/recordings/..."}},
}
RECORDING = {"call_id": _CALL, "recording": _RECORDING}
SUMMARY = {
    "status": "completed",
    "sentiment": "positive",
    "summary": "The caller confirmed the appointment and no follow-up was needed.",
}
_EVENT = {
    "id": "evt_1",
    "call_id": _CALL,
    "level": "info",
    "source": "lifecycle",
    "message": "Call created",
    "created_at": "2026-03-01T10:00:00Z",
}
EVENTS = {"events": [_EVENT], "total": 1, "offset": 0, "limit": 50}
CALL_DETAIL = {
    "id": _CALL,
    "room_name": f"call_{_CALL}",
    "agent_id": _AGENT["id"],
    "agent": _AGENT,
    "direction": "outbound",
    "status": "completed",
    "end_reason": "user_disconnect",
    "intelligence_status": "completed",
    "bill_duration": 150,
    "total_cost": 0.125,
    "created_at": "2026-03-01T09:59:58Z",
    "started_at": "2026-03-01T10:00:00Z",
    "ended_at": "2026-03-01T10:02:25Z",
    "metadata": {},
    "variables": {},
    "post_call": {"recording": {"enabled": True}},
    "participants": [
        {
            "id": _PERSON,
            "transport": "webrtc",
            "identity": "browser-tab-1",
            "status": "left",
            "call_id": _CALL,
            "role": "customer",
            "metadata": {},
            "leave_reason": "call_ended",
            "joined_at": "2026-03-01T10:00:00Z",
            "left_at": "2026-03-01T10:02:25Z",
        }
    ],
    "transcript": {"text": "Caller: Hello?", "segments": [_SEGMENT], "raw": [_RAW]},
    "recording": _RECORDING,
    "intelligence": {
        "status": "completed",
        "revision": 1,
        "summary": "Caller asked for support and the agent resolved the issue.",
        "sentiment": "neutral",
        "structured_data": {"customer_intent": "support"},
        "evaluation": {"passed": True, "score": 1, "reasoning": "The issue was resolved successfully."},
        "errors": [],
        "details": {"methods": {"summary": {"method": "heuristic", "model": None}}, "provenance": {}},
    },
    "events": [_EVENT],
}
ENDED_CALL = {"status": "ended", "id": _CALL, "message": "Call has been terminated."}
QUEUE_STATS = {"waiting": 12, "active": 2, "completed": 340, "failed": 4}
REPROCESS = {
    "status": "queued",
    "job_id": f"{_CALL}-2",
    "message": "Post-call intelligence reprocessing has been queued.",
}
_QUEUED = PHONE_CALL["participants"]
BATCH = {
    "batch_id": "batch_1710",
    "queued": 1,
    "status": "queued",
    "calls": [{"id": _CALL, "room_name": f"call_{_CALL}", "status": "queued", "participants": _QUEUED}],
    "participants": _QUEUED,
    "skipped": [],
}
PROGRESS = {
    "batch_id": "batch_1710",
    "status": "running",
    "total": 3,
    "done": 1,
    "by_status": {"in_progress": 2, "failed": 1},
    "by_reason": {"dialing_failed": 1},
}

STREAM = f"""retry: 1000

event: status
data: {{"call_id": "{_CALL}", "status": "in_progress", "end_reason": null, "started_at": "2026-03-01T10:00:00Z", \
"ended_at": null, "participants": []}}

id: 4-0
event: transcript
data: {{"speaker": "user", "text": "Hello", "participant_id": "{_PERSON}", "identity": "browser-tab-1", "sequence": 0, \
"started_at_ms": 900, "ended_at_ms": 1400, "is_final": true, "source": "runtime", "segment_id": "s_1"}}

event: agent_state
data: {{"state": "thinking", "at_ms": 1500}}
"""
DELETED_RECORDING = {"status": "deleted", "call_id": _CALL}
_SPREAD = {"count": 1, "p50": 780, "p95": 780, "max": 780}
QUALITY = {
    "call_id": _CALL,
    "measured_at": "2026-03-01T10:05:30Z",
    "recorded": True,
    "summary": {
        "turns": 1,
        "engines": {"balanced/webrtc": 1},
        "gap_ms": {"traced": _SPREAD, "heard": {"count": 1, "p50": 800, "p95": 800, "max": 800}},
        "disagreement_ms": {"count": 1, "p50": 20, "p95": 20, "max": 20},
        "barge_ins": 0,
        "barge_in_stop_ms": {"traced": None, "heard": None},
        "cut_ins": 0,
        "talk_over_ms": 0,
    },
    "turns": [
        {
            "turn": 1,
            "run": "1",
            "participant_id": _PERSON,
            "started_at_ms": 1200,
            "end_reason": "silence",
            "engine": {"mode": "balanced", "engine": "webrtc", "fallback": False},
            "traced": {
                "gap_ms": 780,
                "parts_ms": {"end_of_turn": 650, "answer": 90, "playout": 40},
                "barge_in_stop_ms": None,
            },
            "heard": {
                "speech_ended_at_ms": 3400,
                "answer_began_at_ms": 4200,
                "gap_ms": 800,
                "barge_in_stop_ms": None,
                "onset_to_silence_ms": None,
            },
            "disagreement_ms": 20,
        }
    ],
    "cut_ins": [],
}
