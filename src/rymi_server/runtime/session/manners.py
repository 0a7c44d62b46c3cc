"""How an agent behaves beside its answers: who speaks first, what becomes of silence, how long a call may last."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_PROMPT_S: Final = 12.0
_HANG_UP_S: Final = 60.0
_LONGEST_CALL_S: Final = 3_600.0
# People write these in seconds as well as in milliseconds. Nobody waits for ten minutes, or for a tenth of a second.
_MILLISECONDS_FROM: Final = 600.0
# As good as for ever. Agents may say a number that no float holds.
_AGES_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Manners:
    """A time of None: never."""

    greets: bool = True
    prompts_after_s: float | None = _PROMPT_S
    hangs_up_after_s: float | None = _HANG_UP_S
    longest_s: float | None = _LONGEST_CALL_S
    last_words: str = ""
    asks_consent: bool = False
    shows_text: bool = True


def manners_of(agent: Mapping[str, Any], last_words: str) -> Manners:
    advanced, features = _object(agent, "advanced"), _object(agent, "features")
    return Manners(
        greets=advanced.get("startSpeakingPhrasing") != "wait_for_user",
        prompts_after_s=_seconds(advanced, "silencePromptDelay", _PROMPT_S),
        hangs_up_after_s=_seconds(advanced, "postSilenceHangup", _HANG_UP_S),
        longest_s=_duration(advanced.get("maxCallDuration")),
        last_words=last_words,
        asks_consent=features.get("require_consent") is True,
        shows_text=features.get("transcription_enabled") is not False,
    )


def _object(agent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = agent.get(name)
    return value if isinstance(value, Mapping) else {}


def _seconds(advanced: Mapping[str, Any], name: str, default: float) -> float | None:
    """0 says never; what is no number says nothing."""
    value = advanced.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return default
    if value == 0:
        return None
    value = min(value, _AGES_S)
    return value / 1_000 if value >= _MILLISECONDS_FROM else float(value)


def _duration(value: object) -> float | None:
    """A call's length is written in seconds. 0 says that the agent sets it no end."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        return _LONGEST_CALL_S
    return float(min(value, _AGES_S)) or None


@dataclass(slots=True)
class Quiet:
    """How long nobody has said anything, and what is due because of it.

    To a hang-up counts all quiet since a person was heard, but not what the agent said in between, or did to say it.
    """

    manners: Manners
    since: float | None = None
    prompts: int = 0
    _before_s: float = 0.0

    def broken(self, now: float) -> None:
        """Somebody speaks, or the agent does."""
        if self.since is not None:
            self._before_s += now - self.since
        self.since = None

    def begins(self, now: float) -> None:
        if self.since is None:
            self.since = now

    def answered(self) -> None:
        """A person said something: all of it begins anew."""
        self.prompts = 0
        self.since = None
        self._before_s = 0.0

    def prompt_due(self, now: float) -> bool:
        wait = self.manners.prompts_after_s
        return wait is not None and self.since is not None and now - self.since >= wait

    def hang_up_due(self, now: float) -> bool:
        wait = self.manners.hangs_up_after_s
        return wait is not None and self.since is not None and self._before_s + now - self.since >= wait
