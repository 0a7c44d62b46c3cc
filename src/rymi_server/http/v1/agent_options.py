"""The catalog of models and voices, as the agents page shows it."""

from typing import Any, Literal

from pydantic import Field

from rymi_server.agents.catalog import MODELS, VOICES, Model, Voice
from rymi_server.http.v1.fields import ResponseBody


class ModelBody(ResponseBody):
    id: str
    provider_id: str
    label: str
    byok_required: bool = Field(description="Whether this installation needs a key of the provider.")


class VoiceBody(ResponseBody):
    id: str
    provider: str
    name: str
    label: str
    gender: Literal["female", "male", "neutral"] | None
    supported_model_ids: list[str]
    byok_required: bool = Field(description="Whether this installation needs a key of the provider.")
    preview_url: str | None


class LlmOptionsBody(ResponseBody):
    models: list[ModelBody]
    voices: list[VoiceBody]


def _model(model: Model) -> dict[str, Any]:
    return {"id": model.id, "provider_id": model.provider, "label": model.label, "byok_required": model.needs_key}


def _voice(voice: Voice) -> dict[str, Any]:
    return {
        "id": voice.id,
        "provider": voice.provider,
        "name": voice.name,
        "label": voice.label,
        "gender": voice.gender,
        "supported_model_ids": list(voice.models),
        "byok_required": voice.needs_key,
        "preview_url": None,
    }


OPTIONS = {"models": [_model(model) for model in MODELS], "voices": [_voice(voice) for voice in VOICES]}
