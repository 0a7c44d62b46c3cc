"""Which language models this installation can ask for an analysis: those of providers whose key it has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from rymi_server.intelligence.access import ANTHROPIC, DEFAULT_MODELS, GEMINI, OPENAI, ProviderAccess
from rymi_server.intelligence.language_models import LanguageModel, ModelNotConfigured
from rymi_server.intelligence.providers.anthropic import Anthropic
from rymi_server.intelligence.providers.gemini import Gemini
from rymi_server.intelligence.providers.http_json import Endpoint
from rymi_server.intelligence.providers.openai_compatible import OpenAiCompatible

_OTHER_NAMES = {"google": GEMINI, "claude": ANTHROPIC, "openai-compatible": OPENAI}
# A tenant names a model, never an address or a path.
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}")
_MOST_KEPT = 256
_WITH_URL = re.compile(r"(https?://[^#\s]+)#(\S+)")


@dataclass(frozen=True, slots=True)
class ModelCatalog:
    """`default` is `provider:model`, or `openai:http://host/v1#model` for a server of one's own; empty for none."""

    client: httpx.AsyncClient
    access: Mapping[str, ProviderAccess]
    default: str = ""
    # For the server of a default with an address; a provider's key is never sent anywhere else.
    default_key: str = ""
    timeout_seconds: float = 60.0
    _kept: dict[str, LanguageModel] = field(default_factory=dict)

    def find(self, provider: str | None, model: str | None) -> LanguageModel | None:
        """Raise `ModelNotConfigured`."""
        if provider is None and model is None:
            return self._default()
        if provider is None:
            provider = self.default.partition(":")[0] or next((each for each in self.access if self._has(each)), "")
        return self._model(_OTHER_NAMES.get(provider.lower(), provider.lower()), model)

    def _default(self) -> LanguageModel | None:
        provider, _, model = self.default.partition(":")
        if not provider:
            return None
        if at := _WITH_URL.fullmatch(model):
            return self._keep(self.default, ProviderAccess(at[1], self.default_key, needs_key=False), OPENAI, at[2])
        return self._model(_OTHER_NAMES.get(provider, provider), model or None)

    def _model(self, provider: str, model: str | None) -> LanguageModel:
        access = self.access.get(provider)
        if access is None:
            raise ModelNotConfigured(f"there is no provider {provider or 'that is named'!r}")
        if not access.usable:
            raise ModelNotConfigured(f"this installation has no key of {provider}")
        name = model or DEFAULT_MODELS[provider]
        if not _MODEL.fullmatch(name) or "//" in name or ".." in name:
            raise ModelNotConfigured("that is no name of a model")
        return self._keep(f"{provider}:{name}", access, provider, name)

    def _keep(self, key: str, access: ProviderAccess, provider: str, model: str) -> LanguageModel:
        """A model is kept, because it learns what its server takes."""
        if len(self._kept) > _MOST_KEPT:
            self._kept.clear()
        if key not in self._kept:
            endpoint = Endpoint(self.client, access.base_url, access.key, self.timeout_seconds)
            if provider == ANTHROPIC:
                self._kept[key] = Anthropic(endpoint, model)
            elif provider == GEMINI:
                self._kept[key] = Gemini(endpoint, model)
            else:
                self._kept[key] = OpenAiCompatible(endpoint, model, provider=provider)
        return self._kept[key]

    def _has(self, provider: str) -> bool:
        return self.access[provider].usable
