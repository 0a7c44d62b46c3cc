"""What a language model must do for an analysis, and how it may fail."""

from dataclasses import dataclass
from typing import Any, Protocol

from rymi_server.foundation.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Question:
    """`instructions` are ours, `material` is others' words. The answer is to be JSON by `schema`."""

    instructions: str
    material: str
    schema: dict[str, Any]
    most_tokens: int = 1_024


@dataclass(frozen=True, slots=True)
class Answered:
    """As it came: nobody has looked yet whether it is what was asked for."""

    text: str
    cut_short: bool = False
    tokens_in: int | None = None
    tokens_out: int | None = None


class ModelTrouble(Unavailable):
    """A model was asked, and there is no answer to use."""

    def __init__(self, message: str, *, retryable: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(message, retryable=retryable)
        self.retry_after_seconds = retry_after_seconds


class ModelFailed(ModelTrouble):
    """Its server could not be reached, refused, or took too long."""

    code = "model_failed"


class Nonsense(ModelTrouble):
    """It answered, and not with what was asked for."""

    code = "model_nonsense"


class ModelNotConfigured(Unavailable):
    """This installation has no key of that provider, or does not know it."""

    code = "model_not_configured"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class LanguageModel(Protocol):
    @property
    def name(self) -> str:
        """`provider:model`."""
        ...

    async def ask(self, question: Question) -> Answered:
        """Raise `ModelFailed`. Returns within a bounded time, whatever the other side does."""
        ...


class Models(Protocol):
    def find(self, provider: str | None, model: str | None) -> LanguageModel | None:
        """The model that is named, or this installation's; None where it has none. Raise `ModelNotConfigured`."""
        ...


class NoModels:
    """For installations without any."""

    def find(self, provider: str | None, model: str | None) -> LanguageModel | None:
        if provider or model:
            raise ModelNotConfigured(f"no model of {provider or 'that provider'} is configured")
        return None
