"""Settings of what hears, speaks and thinks: providers' keys, the folder of models, what agents use by default."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from rymi_server.foundation.errors import Refused
from rymi_server.speech_engines.casting import Defaults
from rymi_server.speech_engines.naming import Part, parse
from rymi_server.speech_engines.readiness import Equipment, EquipmentReadiness

_KEYS = {
    "openai_api_key": "OPENAI_API_KEY",
    "deepgram_api_key": "DEEPGRAM_API_KEY",
    "cartesia_api_key": "CARTESIA_API_KEY",
    "elevenlabs_api_key": "ELEVENLABS_API_KEY",
    "google_api_key": "GOOGLE_API_KEY",
    "google_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
    "anthropic_api_key": "ANTHROPIC_API_KEY",
}


class SpeechSettings(BaseSettings):
    default_stt: str = Field(
        default="pocketsphinx",
        alias="RYMI_DEFAULT_STT",
        description="The recogniser of agents that name none, such as `deepgram:nova-3` (docs/reference/engines.md).",
    )
    default_tts: str = Field(
        default="espeak",
        alias="RYMI_DEFAULT_TTS",
        description="The voice of agents that name none, such as `openai:gpt-4o-mini-tts@alloy`.",
    )
    models_folder: Path | None = Field(
        default=None,
        alias="RYMI_MODELS_DIR",
        description="Where `rymi speech pull` puts models. The folder `models` in the data folder otherwise.",
    )
    engines_elsewhere: str = Field(
        default="",
        alias="RYMI_ENGINES_ELSEWHERE",
        description="Engines that agents on other machines have and this one does not, separated by commas: the API "
        "takes them for ready. `vosk` means all of its models.",
    )
    trusted_hosts: str = Field(
        default="",
        alias="RYMI_TRUSTED_ENGINE_HOSTS",
        description="Hosts, separated by commas, that may be sent a provider's key when an agent names an address "
        "there, such as `openrouter.ai`. Otherwise keys go to their providers and to servers on this machine alone. "
        "The hosts of RYMI_DEFAULT_STT and RYMI_DEFAULT_TTS are trusted.",
    )
    openai_api_key: str = Field(default="", alias="OPENAI_API_KEY", description="Key of OpenAI.")
    deepgram_api_key: str = Field(default="", alias="DEEPGRAM_API_KEY", description="Key of Deepgram.")
    cartesia_api_key: str = Field(default="", alias="CARTESIA_API_KEY", description="Key of Cartesia.")
    elevenlabs_api_key: str = Field(default="", alias="ELEVENLABS_API_KEY", description="Key of ElevenLabs.")
    google_api_key: str = Field(default="", alias="GOOGLE_API_KEY", description="Key of Google's Gemini models.")
    google_credentials: str = Field(
        default="",
        alias="GOOGLE_APPLICATION_CREDENTIALS",
        description="File of a Google Cloud account, for its speech services.",
    )
    anthropic_api_key: str = Field(default="", alias="ANTHROPIC_API_KEY", description="Key of Anthropic.")

    @field_validator("default_stt")
    @classmethod
    def _hears(cls, name: str) -> str:
        return _checked(name, Part.EAR)

    @field_validator("default_tts")
    @classmethod
    def _speaks(cls, name: str) -> str:
        return _checked(name, Part.VOICE)

    def provider_keys(self) -> dict[str, str]:
        """By the name of their setting, those that are set."""
        keys = {alias: str(getattr(self, field)) for field, alias in _KEYS.items()}
        return {alias: key for alias, key in keys.items() if key}

    def engine_defaults(self) -> Defaults:
        return Defaults(self.default_stt, self.default_tts)

    def equipment(self, data_folder: Path) -> Equipment:
        models = self.models_folder or data_folder / "models"
        return Equipment(self.provider_keys(), models, self._trusted())

    def _trusted(self) -> frozenset[str]:
        named = [host.strip().lower() for host in self.trusted_hosts.split(",")]
        defaults = [parse(self.default_stt, Part.EAR).host, parse(self.default_tts, Part.VOICE).host]
        return frozenset(host for host in (*named, *defaults) if host)

    def readiness_of(self, equipment: Equipment) -> EquipmentReadiness:
        elsewhere = [name.strip() for name in self.engines_elsewhere.split(",")]
        return EquipmentReadiness(equipment, [name for name in elsewhere if name])


def _checked(name: str, part: Part) -> str:
    try:
        parse(name, part)
    except Refused as refused:
        raise ValueError(refused.message) from refused
    return name
