"""Examples for the key pages of the API's document."""

from typing import Any

_ID = "key_01936f0e22227e3c9d536a1f2b3c4d5e"
_REPLACED = "key_01936f0e11117e3c9d536a1f2b3c4d5e"
_PLAINTEXT = "rymi_abcd1..."

_KEY: dict[str, Any] = {
    "id": _ID,
    "key_prefix": "rymi_abcd1",
    "label": "production",
    "last_used_at": None,
    "created_at": "2026-03-01T10:00:00Z",
    "revoked_at": None,
}
_WINDOW = {"total": 1, "offset": 0, "limit": 50}

ME = {
    "id": "01936f0e-0000-7e3c-9d53-6a1f2b3c4d5e",
    "api_key_prefix": "rymi_abcd1",
    "telephony_provider": None,
    "plivo_connected": False,
    "plivo_account_name": None,
    "plivo_account_country": None,
}
KEY_LIST = {"keys": [{**_KEY, "last_used_at": "2026-03-02T08:30:00Z"}], **_WINDOW}
CREATED = {**_KEY, "api_key": _PLAINTEXT, "key": _PLAINTEXT}
ROTATED = {**CREATED, "replaced": {"id": _REPLACED, "revoked_at": "2026-03-01T11:00:00Z"}}
REVOKED = {"status": "revoked", "id": _ID}

_PUBLISHABLE: dict[str, Any] = {
    "id": _ID,
    "key_prefix": "sb_publishable_deadb",
    "agent_id": "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e",
    "label": "landing page",
    "allowed_channels": ["web"],
    "audience": "sdk",
    "default_from_number": None,
    "created_at": "2026-03-01T10:00:00Z",
}
CREATED_PUBLISHABLE = {**_PUBLISHABLE, "key": "sb_publishable_deadbeef..."}
PUBLISHABLE_LIST = {"keys": [{**_PUBLISHABLE, "last_used_at": None}], **_WINDOW}
REVOKED_PUBLISHABLE = {"success": True}
