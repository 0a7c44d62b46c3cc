"""Examples for the webhooks page of the API's document."""

_ID = "wh_01936f0e44447e3c9d536a1f2b3c4d5e"
_WEBHOOK = {
    "id": _ID,
    "url": "https://example.com/rymi",
    "events": ["call.completed", "call.intelligence.ready"],
    "alert_email": "ops@example.com",
    "created_at": "2026-03-01T10:00:00Z",
}

REGISTERED = {"status": "registered", **_WEBHOOK}
WEBHOOK_LIST = {"webhooks": [_WEBHOOK], "total": 1, "offset": 0, "limit": 50}
UPDATED = {"status": "updated", "id": _ID}
DELETED = {"status": "deleted", "id": _ID}
