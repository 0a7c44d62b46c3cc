"""The four ways to decide when a turn begins and ends, their parameters, and what a user may change in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rymi_server.runtime.turn_taking.signals import Mode

ALIASES: Final = {"rms": "steady", "webrtc": "balanced", "silero": "sensitive", "provider-signal": "provider"}
HANG_MS: Final = (200, 3_000)
START_MS: Final = (20, 500)
MIN_SPEECH_MS: Final = (0, 1_000)
TURN_MS: Final = (1_000, 600_000)
# A number of the agent's `advanced` settings below this one means seconds, any other milliseconds.
_SECONDS_BELOW: Final = 20


@dataclass(frozen=True, slots=True)
class Gate:
    """How a score and a level are judged: `enter`, `leave` dB over the noise, `drop` dB under the turn's own peak.

    A line whose noise goes up and down asks for more to enter: so many `spreads` of it.
    """

    high: float
    low: float
    start_ms: int
    window_ms: int
    enter_db: float
    leave_db: float
    min_speech_ms: int
    drop_db: float = 17.0
    floor_db: float = -58.0
    spreads: float = 2.25


@dataclass(frozen=True, slots=True)
class Hang:
    """How long silence lasts before the turn is over: as it is, after words that sound complete, after an open end."""

    base_ms: int
    done_ms: int
    open_ms: int
    # After the digits of a number, which come in groups.
    digits_ms: int
    text_aware: bool = True
    adaptive: bool = True


@dataclass(frozen=True, slots=True)
class Overrides:
    """What an agent's author asks for instead of a mode's own numbers; None leaves the mode's."""

    hang_ms: int | None = None
    done_ms: int | None = None
    open_ms: int | None = None
    digits_ms: int | None = None
    start_ms: int | None = None
    min_speech_ms: int | None = None
    max_turn_ms: int | None = None
    text_aware: bool | None = None
    adaptive: bool | None = None


@dataclass(frozen=True, slots=True)
class Parameters:
    gate: Gate
    hang: Hang
    max_turn_ms: int = 30_000


# --- each mode's own numbers -----------------------------------------------------------------------------------------

STEADY = Parameters(
    Gate(1.0, 1.0, start_ms=160, window_ms=280, enter_db=6, leave_db=4, min_speech_ms=240),
    Hang(900, done_ms=600, open_ms=1_600, digits_ms=1_600),
)
BALANCED = Parameters(
    Gate(0.5, 0.5, start_ms=100, window_ms=160, enter_db=6, leave_db=4, min_speech_ms=180),
    Hang(650, done_ms=400, open_ms=1_500, digits_ms=1_500),
)
SENSITIVE = Parameters(
    Gate(0.9, 0.35, start_ms=20, window_ms=100, enter_db=0, leave_db=0, min_speech_ms=60, drop_db=24, spreads=3.0),
    Hang(450, done_ms=350, open_ms=1_200, digits_ms=1_200),
)
# With the score that needs numpy alone.
BALANCED_PCM = replace(BALANCED, gate=replace(BALANCED.gate, high=0.34, low=0.20))
SENSITIVE_PCM = replace(
    SENSITIVE,
    gate=Gate(0.28, 0.17, start_ms=80, window_ms=120, enter_db=5, leave_db=4, min_speech_ms=100, spreads=2.5),
)
# The recogniser decides. Should it say nothing for so long after the speech, we do.
PROVIDER = replace(
    STEADY,
    hang=Hang(1_500, done_ms=1_500, open_ms=1_500, digits_ms=1_500, text_aware=False, adaptive=False),
)


def mode_named(name: str | None) -> Mode:
    """Raise ValueError for a name that is none. `steady` where nothing is said."""
    return Mode(ALIASES.get(name, name)) if name else Mode.STEADY


def changed(parameters: Parameters, overrides: Overrides) -> Parameters:
    """`parameters` with what the author asks for, brought within bounds. A longer hang lengthens all the others."""
    own, gate = parameters.hang, parameters.gate
    base = _within(HANG_MS, overrides.hang_ms, own.base_ms)
    scale = base / own.base_ms
    hang = Hang(
        base,
        done_ms=_within(HANG_MS, overrides.done_ms, min(base, round(own.done_ms * scale))),
        open_ms=_within(HANG_MS, overrides.open_ms, max(base, own.open_ms)),
        digits_ms=_within(HANG_MS, overrides.digits_ms, max(base, own.digits_ms)),
        text_aware=own.text_aware if overrides.text_aware is None else overrides.text_aware,
        adaptive=own.adaptive if overrides.adaptive is None else overrides.adaptive,
    )
    start = _within(START_MS, overrides.start_ms, gate.start_ms)
    gate = replace(
        gate,
        start_ms=start,
        window_ms=max(gate.window_ms, start + gate.window_ms - gate.start_ms),
        min_speech_ms=_within(MIN_SPEECH_MS, overrides.min_speech_ms, gate.min_speech_ms),
    )
    return replace(
        parameters,
        gate=gate,
        hang=hang,
        max_turn_ms=_within(TURN_MS, overrides.max_turn_ms, parameters.max_turn_ms),
    )


def overrides_of(advanced: Mapping[str, Any]) -> Overrides:
    """What an agent's `advanced` settings say about turns. What is no number there says nothing."""
    return Overrides(
        hang_ms=milliseconds(advanced.get("replyDelay")),
        done_ms=milliseconds(advanced.get("waitAfterSentence")),
        open_ms=milliseconds(advanced.get("waitAfterNoPunctuation")),
        digits_ms=milliseconds(advanced.get("waitAfterNumbers")),
        start_ms=milliseconds(advanced.get("startSpeakingThreshold")),
        min_speech_ms=milliseconds(advanced.get("minSpeech")),
        max_turn_ms=milliseconds(advanced.get("maxTurnLength")),
        text_aware=_switch(advanced.get("smartEndpointing")),
        adaptive=_switch(advanced.get("smartEndpointing")),
    )


def _within(bounds: tuple[int, int], wanted: int | None, own: int) -> int:
    return own if wanted is None else max(bounds[0], min(wanted, bounds[1]))


def _switch(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def milliseconds(value: object) -> int | None:
    """Of a number of an agent's settings; None where it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return None
    return round(value * 1_000) if value < _SECONDS_BELOW else round(value)
