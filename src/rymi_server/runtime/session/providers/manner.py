"""How an agent's author wants a language model to answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_MOST_TOKENS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Manner:
    """None leaves it to the model."""

    temperature: float | None = None
    # In one answer.
    most_tokens: int | None = None

    def given(self, tokens: str) -> dict[str, Any]:
        """As arguments for a plugin that calls the most tokens by this name."""
        wanted = {"temperature": self.temperature, tokens: self.most_tokens}
        return {name: value for name, value in wanted.items() if value is not None}


def manner_of(agent: Mapping[str, Any]) -> Manner:
    """What is no number in the agent's `advanced` settings says nothing."""
    advanced = agent.get("advanced")
    settings = advanced if isinstance(advanced, Mapping) else {}
    heat, tokens = settings.get("temperature"), settings.get("maxTokens")
    counts = isinstance(tokens, int) and not isinstance(tokens, bool) and 0 < tokens <= _MOST_TOKENS
    return Manner(
        temperature=float(heat) if isinstance(heat, int | float) and not isinstance(heat, bool) else None,
        most_tokens=tokens if counts else None,
    )
