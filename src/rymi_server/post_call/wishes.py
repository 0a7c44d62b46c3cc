"""What a call was to leave behind, by what was frozen into it when it was created. Pure."""

from collections.abc import Mapping
from typing import Any

from rymi_server.calls.models import Call


def wants_recording(call: Call) -> bool:
    return bool((call.post_call.get("recording") or {}).get("enabled"))


def wants_consent(agent: Mapping[str, Any]) -> bool:
    """Whether callers are asked before they are recorded."""
    return bool(_features(agent).get("require_consent"))


def wants_analysis(call: Call, agent: Mapping[str, Any]) -> bool:
    """Unless transcription is off, or the summary is and nothing else is asked for."""
    if _features(agent).get("transcription_enabled") is False:
        return False
    summary = (call.post_call.get("summary") or {}).get("enabled", True)
    return bool(summary or call.post_call.get("structured_extraction") or call.post_call.get("evaluation"))


def _features(agent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the agent as it was frozen."""
    features: Mapping[str, Any] = agent.get("features") or {}
    return features
