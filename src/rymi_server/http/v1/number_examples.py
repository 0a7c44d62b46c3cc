"""Examples for the numbers page of the API's document."""

_AGENT = "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e"
_NUMBER = "+15551234567"

REGISTERED = {"status": "registered", "number": _NUMBER, "agent_id": _AGENT}
ATTACHED = {"status": "attached", "number": _NUMBER, "agent_id": _AGENT}
REMOVED = {"status": "removed", "number": _NUMBER}
NUMBER_LIST = {
    "numbers": [
        {
            "id": "num_01936f0e33337e3c9d536a1f2b3c4d5e",
            "number": _NUMBER,
            "phone_number": _NUMBER,
            "provider": None,
            "agent_id": _AGENT,
            "status": "active",
            "webhook_status": "no_carrier",
            "webhook_error": None,
            "created_at": "2026-03-01T10:00:00Z",
        }
    ],
    "total": 1,
    "offset": 0,
    "limit": 50,
}
