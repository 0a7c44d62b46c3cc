"""Settings of what reads finished calls: which model, where providers are, how long one may take."""

import re

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from rymi_server.intelligence.access import ANTHROPIC, DEFAULT_MODELS, GEMINI, OPENAI, ProviderAccess

_DEFAULT = re.compile(rf"({'|'.join(DEFAULT_MODELS)})(:\S+)?")


class AnalysisSettings(BaseSettings):
    analysis_model: str = Field(
        default="",
        alias="RYMI_ANALYSIS_MODEL",
        description="The model that reads finished calls which name none, as `openai:gpt-4.1-mini`, "
        "`anthropic:claude-haiku-4-5`, `gemini:gemini-2.5-flash`, or a server of your own as "
        "`openai:http://localhost:11434/v1#llama3.2`. Without it they are read by rules, without a model.",
    )
    analysis_key: str = Field(
        default="",
        alias="RYMI_ANALYSIS_KEY",
        description="Key for the server that RYMI_ANALYSIS_MODEL gives with a URL.",
    )
    analysis_timeout_seconds: float = Field(
        default=60.0,
        gt=0,
        le=600,
        alias="RYMI_ANALYSIS_TIMEOUT_SECONDS",
        description="How long a model may take for one answer.",
    )
    openai_base_url: str = Field(
        default="https://api.openai.com/v1", alias="OPENAI_BASE_URL", description="Where OpenAI's API is, for analysis."
    )
    anthropic_base_url: str = Field(
        default="https://api.anthropic.com",
        alias="ANTHROPIC_BASE_URL",
        description="Where Anthropic's API is, for analysis.",
    )
    gemini_base_url: str = Field(
        default="https://generativelanguage.googleapis.com",
        alias="GEMINI_BASE_URL",
        description="Where Gemini's API is, for analysis.",
    )

    @field_validator("analysis_model")
    @classmethod
    def _known(cls, name: str) -> str:
        if name and not _DEFAULT.fullmatch(name):
            raise ValueError(f"begins with none of {', '.join(DEFAULT_MODELS)}")
        return name

    def model_access(self, keys: dict[str, str]) -> dict[str, ProviderAccess]:
        """`keys` by the names of their settings."""
        return {
            OPENAI: ProviderAccess(self.openai_base_url, keys.get("OPENAI_API_KEY", "")),
            ANTHROPIC: ProviderAccess(self.anthropic_base_url, keys.get("ANTHROPIC_API_KEY", "")),
            GEMINI: ProviderAccess(self.gemini_base_url, keys.get("GOOGLE_API_KEY", "")),
        }
