"""Examples for the agents page of the API's document."""

from rymi_server.http.v1.examples import CALL_LIST

_ID = "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e"

CREATED = {"status": "created", "id": _ID}
UPDATED = {"status": "updated", "id": _ID}
DELETED = {"status": "deleted", "id": _ID}
AGENT = {
    "id": _ID,
    "name": "Aria",
    "agent_role": "operator",
    "language": "en-US",
    "playbook": {"opener": "Hello, this is Aria. How can I help?"},
    "raw_system_prompt": None,
    "compiled_prompt": "You are a voice assistant.\nSpeak en-US.",
    "created_at": "2026-03-01T10:00:00Z",
    "updated_at": "2026-03-01T10:00:00Z",
}
AGENT_LIST = {
    "agents": [
        {
            "id": _ID,
            "name": "Aria",
            "voice": None,
            "llm_provider": None,
            "llm_model": None,
            "agent_role": "operator",
            "language": "en-US",
            "created_at": "2026-03-01T10:00:00Z",
        }
    ],
    "total": 1,
    "offset": 0,
    "limit": 50,
}
CALLS_OF_AGENT = {**CALL_LIST, "agent_id": _ID}
LLM_OPTIONS = {
    "models": [
        {"id": "playbook", "provider_id": "playbook", "label": "Playbook, no model (demo)", "byok_required": False},
        {"id": "gpt-4o-mini", "provider_id": "openai", "label": "GPT-4o mini", "byok_required": True},
    ],
    "voices": [
        {
            "id": "en-us",
            "provider": "espeak",
            "name": "en-us",
            "label": "American English (demo)",
            "gender": "male",
            "supported_model_ids": ["espeak"],
            "byok_required": False,
            "preview_url": None,
        }
    ],
}
