"""The providers of language models that are known, and how an installation reaches them."""

from dataclasses import dataclass

OPENAI, ANTHROPIC, GEMINI = "openai", "anthropic", "gemini"
# Where nothing else is said: small, and good at reading.
DEFAULT_MODELS = {OPENAI: "gpt-4.1-mini", ANTHROPIC: "claude-haiku-4-5", GEMINI: "gemini-2.5-flash"}


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """`key` may be empty for a server of one's own."""

    base_url: str
    key: str = ""
    needs_key: bool = True

    @property
    def usable(self) -> bool:
        return bool(self.base_url) and (bool(self.key) or not self.needs_key)
