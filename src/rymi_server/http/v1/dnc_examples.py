"""Examples for the Do-Not-Call page of the API's document."""

_NUMBER = "+15550009999"

BLOCKLISTED = {"status": "blocklisted", "phone_number": _NUMBER}
BLOCKLISTED_BATCH = {"status": "blocklisted", "count": 2, "invalid_count": 1, "invalid": ["555"]}
REMOVED = {"status": "removed", "phone": _NUMBER}
DNC_LIST = {
    "dnc_entries": [{"phone": _NUMBER, "reason": "API request", "opt_out_at": "2026-03-01T10:00:00Z"}],
    "total": 1,
    "offset": 0,
    "limit": 50,
}
CHECKED = {
    "results": [
        {"phone_number": "+1 (555) 000-9999", "normalized": _NUMBER, "blocked": True, "valid": True},
        {"phone_number": "555", "normalized": None, "blocked": False, "valid": False},
    ],
    "blocked_count": 1,
    "total_checked": 2,
}
