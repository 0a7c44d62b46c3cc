"""What an agent is described by. Everything but the name may be left out; null takes back what was said."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from rymi_server.agents.post_call_config import refuse_invalid
from rymi_server.foundation.errors import Refused
from rymi_server.http.v1.call_bodies import PostCall
from rymi_server.http.v1.fields import JsonObject, RequestBody, ResponseBody, ShortText, no_larger_than
from rymi_server.runtime.thinking.tools import LONGEST_TIMEOUT_MS, SHORTEST_TIMEOUT_MS, TOOL_IDS, refuse_wrong

TURN_DETECTORS = {"rms": "steady", "webrtc": "balanced", "silero": "sensitive", "provider-signal": "provider"}

TurnDetector = Literal["steady", "balanced", "sensitive", "provider", "rms", "webrtc", "silero", "provider-signal"]
Text = Annotated[str, Field(max_length=100_000)]
Word = Annotated[str, Field(max_length=256)]
_LARGEST_FIELD_BYTES = 262_144
_no_larger = no_larger_than(_LARGEST_FIELD_BYTES)
Description = Annotated[dict[str, Any], Field(description=f"Any JSON object of at most {_LARGEST_FIELD_BYTES} bytes.")]


# Encrypted, or on this very machine, where people run models of their own.
_ENDPOINT = r"^((https|wss)://|(http|ws)://(localhost|127\.0\.0\.1)(:[0-9]+)?(/|$))"
Endpoint = Annotated[str, Field(max_length=2_048, pattern=_ENDPOINT)]
_ADDRESS_IN_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)


def _reachable(name: str) -> str:
    """A name may carry the address of a server, for which the rule of all addresses holds."""
    found = _ADDRESS_IN_A_NAME.search(name)
    if found and not re.match(_ENDPOINT, found[0].partition("#")[0]):
        raise ValueError("a model's address must be https or wss, or on this machine")
    return name


ModelName = Annotated[str, Field(max_length=256), AfterValidator(_reachable)]


class TurnCompletion(RequestBody):
    """Whether a language model is asked to tell that the caller was not done, and for how long it then waits."""

    model_config = ConfigDict(strict=True, extra="allow")

    enabled: bool | None = None
    markerSet: Literal["unicode", "ascii"] | None = None  # noqa: N815 - the word on the wire
    incompleteShortMs: int | None = Field(  # noqa: N815 - likewise
        default=None, ge=100, le=60_000, description="After a sentence that was cut short; 5000 unless said."
    )
    incompleteLongMs: int | None = Field(  # noqa: N815 - likewise
        default=None, ge=100, le=60_000, description="For somebody who asked for a moment; 10000 unless said."
    )


class Advanced(RequestBody):
    """How the agent takes turns, listens and speaks. Fields that are not listed here are kept as they are."""

    model_config = ConfigDict(strict=True, extra="allow")

    turnDetectorMode: TurnDetector | None = None  # noqa: N815 - the word on the wire
    prompt_mode: Literal["builder", "raw"] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    stt_confidence_threshold: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="What the recogniser is less sure of is written down and not answered: the caller is asked again.",
    )
    stt_numeral_formatting: bool | None = Field(
        default=None, description="Whether numbers are written as figures, for recognisers that can be told."
    )
    stt_profanity_filter: bool | None = Field(
        default=None, description="Whether swear words are masked, for recognisers that can be told."
    )
    turnCompletion: TurnCompletion | None = None  # noqa: N815 - the word on the wire
    stt_background_denoising: bool | None = Field(
        default=None, description="Whether steady noise is taken out before anybody listens. Recordings keep it."
    )
    optOutKey: Annotated[str, Field(pattern=r"^[0-9*#]$")] | None = Field(  # noqa: N815 - the word on the wire
        default=None, description="Who presses this key on a phone is not called again."
    )
    startSpeakingPhrasing: Literal["agent_greets", "wait_for_user"] | None = None  # noqa: N815 - the word on the wire
    maxCallDuration: float | None = Field(  # noqa: N815 - the word on the wire
        default=None,
        ge=0,
        le=1_000_000_000,
        description="Seconds after which the agent ends a call; 3600 unless said. 0: the installation ends it.",
    )


class Features(RequestBody):
    model_config = ConfigDict(strict=True, extra="allow")

    recording_enabled: bool | None = None
    transcription_enabled: bool | None = None
    require_consent: bool | None = None
    recording_notice: Annotated[str, Field(max_length=500)] | None = Field(
        default=None,
        description="Said by the carrier to whoever is on the phone before all else, if the call is recorded.",
    )


class ToolBinding(RequestBody):
    """A tool that the agent may use. Fields that are not listed here are kept as they are."""

    model_config = ConfigDict(strict=True, extra="allow")

    tool_id: Word = Field(description=f"One of {', '.join(f'`{name}`' for name in TOOL_IDS)}.")
    enabled: bool | None = None
    credential_ref: Word | None = None
    timeout_ms: int | None = Field(default=None, ge=SHORTEST_TIMEOUT_MS, le=LONGEST_TIMEOUT_MS)
    side_effect: Literal["read", "write"] | None = None
    provider_settings: JsonObject | None = Field(
        default=None,
        description="Of `call_webhook`: name, description, url (public, https), method, headers, and parameters as a "
        "JSON Schema. Of `handoff_to_human`: number, or transfer_number, mode and agent as of a transfer.",
    )

    @model_validator(mode="after")
    def _usable(self) -> "ToolBinding":
        refuse_wrong(self.model_dump(exclude_unset=True))
        return self


class VariableBody(RequestBody):
    """Something that an agent may be told of a call."""

    model_config = ConfigDict(strict=True, extra="allow")

    key: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$")]
    description: Text | None = None
    metadataKey: Word | None = None  # noqa: N815 - the word on the wire
    required: bool | None = None
    default: Any = None
    acquisition: Literal["ask", "extract", "none"] | None = None
    origin: Literal["caller", "playbook", "postcall", "prompt", "template"] | None = None
    type: Literal["string", "number", "boolean", "enum"] | None = None
    enumValues: Annotated[list[str | int | float], Field(max_length=200)] | None = None  # noqa: N815 - likewise

    @model_validator(mode="after")
    def _consistent(self) -> "VariableBody":
        if self.type == "enum" and not self.enumValues:
            raise ValueError("a variable of type enum needs enumValues")
        return self


class AgentFields(RequestBody):
    """Every field but the name."""

    system_prompt: Text | None = None
    voice: Word | None = None
    language: Word | None = None
    supported_languages: Annotated[list[Word], Field(max_length=100)] | None = None
    llm_provider: ModelName | None = None
    llm_model: ModelName | None = None
    llm_fallback_provider: ModelName | None = None
    llm_fallback_model: ModelName | None = None
    stt_provider: ModelName | None = None
    stt_model: ModelName | None = None
    stt_fallback_provider: ModelName | None = None
    stt_fallback_model: ModelName | None = None
    tts_provider: ModelName | None = None
    tts_model: ModelName | None = None
    tts_fallback_provider: ModelName | None = None
    tts_fallback_model: ModelName | None = None
    custom_llm_url: Endpoint | None = None
    custom_voice_url: Endpoint | None = None
    custom_transcriber_url: Endpoint | None = None
    custom_voice_mode: Literal["rymi", "openai-compat"] | None = None
    agent_role: Word | None = Field(default=None, min_length=1, description="`operator` unless something else is said.")
    persona: Description | None = None
    playbook: Description | None = None
    advanced: Advanced | None = None
    settings: Advanced | None = Field(default=None, description="An older word for `advanced`.")
    features: Features | None = None
    post_call: PostCall | None = None
    tools: Annotated[list[ToolBinding], Field(max_length=100)] | None = None
    variables: Annotated[list[VariableBody], Field(max_length=200)] | None = None
    chat_summary: Text | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _bounded(cls, value: Any) -> Any:
        """As it was sent, with what nobody has a name for."""
        return _no_larger(value) if isinstance(value, dict | list) else value

    @model_validator(mode="after")
    def _consistent(self) -> "AgentFields":
        if self.advanced and self.advanced.prompt_mode == "raw" and not self.system_prompt:
            raise ValueError("the raw prompt mode needs a system_prompt")
        try:
            refuse_invalid(self.post_call.said() if self.post_call else {})
        except Refused as refused:
            raise ValueError(refused.message) from refused
        return self

    def said(self) -> dict[str, Any]:
        """What was sent, in the words that we keep it under."""
        said = self.model_dump(exclude_unset=True)
        if "settings" in said:
            said.setdefault("advanced", said.pop("settings"))
        advanced = said.get("advanced")
        if advanced and advanced.get("turnDetectorMode") in TURN_DETECTORS:
            advanced["turnDetectorMode"] = TURN_DETECTORS[advanced["turnDetectorMode"]]
        return said


class NewAgentBody(AgentFields):
    name: ShortText


class ChangedAgentBody(AgentFields):
    name: ShortText | None = None


# --- answers ---------------------------------------------------------------------------------------------------------


class CreatedAgentBody(ResponseBody):
    status: Literal["created"]
    id: str


class UpdatedAgentBody(ResponseBody):
    status: Literal["updated"]
    id: str


class DeletedAgentBody(ResponseBody):
    status: Literal["deleted"]
    id: str


class AgentBody(ResponseBody):
    """The agent with everything that was said of it; what was not said is absent."""

    model_config = ConfigDict(extra="allow")

    id: str
    name: str
    agent_role: str
    raw_system_prompt: str | None = Field(description="`system_prompt` as it was written.")
    compiled_prompt: str = Field(description="What a chat model is told; variables without a default stand as names.")
    created_at: str
    updated_at: str


class ListedAgentBody(ResponseBody):
    id: str
    name: str
    voice: str | None
    llm_provider: str | None
    llm_model: str | None
    agent_role: str
    language: str | None
    created_at: str


class AgentListBody(ResponseBody):
    agents: list[ListedAgentBody]
    total: int
    offset: int
    limit: int
