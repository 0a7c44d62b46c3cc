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
_DELIVERY_ID = "dlv_01936f0e55557e3c9d536a1f2b3c4d5e"
_DELIVERY = {
    "id": _DELIVERY_ID,
    "webhook_id": _ID,
    "event_id": "evt_7d8f0c8fe5b24b7c9f7a2a4e1b0c9d3e",
    "event": "call.completed",
    "subject": "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e",
    "status": "delivered",
    "reason": None,
    "attempts": 1,
    "next_attempt_at": None,
    "created_at": "2026-03-01T10:05:30Z",
    "finished_at": "2026-03-01T10:05:31Z",
}
_ATTEMPT = {
    "number": 1,
    "begun_at": "2026-03-01T10:05:30Z",
    "took_ms": 84,
    "status_code": 200,
    "reply": "ok",
    "error": None,
}
DELIVERY_LIST = {"deliveries": [_DELIVERY], "total": 1, "offset": 0, "limit": 50}
DELIVERY = {**_DELIVERY, "body": '{"id":"evt_7d8f…","type":"call.completed"}', "log": [_ATTEMPT]}
QUEUED = {"status": "queued", "delivery_id": _DELIVERY_ID}
