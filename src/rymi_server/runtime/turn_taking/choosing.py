"""Which detector a person gets: the mode that the agent's author wants, with the best engine that this machine has."""

from typing import Final

from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.modes import (
    BALANCED,
    BALANCED_PCM,
    PROVIDER,
    SENSITIVE,
    SENSITIVE_PCM,
    STEADY,
    Overrides,
    Parameters,
    changed,
)
from rymi_server.runtime.turn_taking.scores import Scores
from rymi_server.runtime.turn_taking.signals import EngineUsed, Mode
from rymi_server.speech_engines.promises import Abilities

# The first is what the mode means; the others stand in for it.
ENGINES: Final = {
    Mode.STEADY: ("rms",),
    Mode.BALANCED: ("webrtc", "pocketsphinx", "pcm"),
    Mode.SENSITIVE: ("silero", "pcm"),
}
_NATIVE: Final = {Mode.STEADY: STEADY, Mode.BALANCED: BALANCED, Mode.SENSITIVE: SENSITIVE}
_PCM: Final = {Mode.BALANCED: BALANCED_PCM, Mode.SENSITIVE: SENSITIVE_PCM}
# pocketsphinx carries the very code of the WebRTC detector, so it is no lesser engine.
_AS_GOOD: Final = frozenset({"pocketsphinx"})


def detector_for(
    mode: Mode,
    overrides: Overrides,
    scores: Scores,
    *,
    ear: Abilities | None = None,
    language: str = "en",
) -> Detector:
    """A detector for one person. `ear` is who recognises that person's speech: the provider mode depends on it."""
    if mode is Mode.PROVIDER:
        if ear is not None and ear.gives_turn_ends:
            _, score = scores.first_of(ENGINES[Mode.STEADY])
            used = EngineUsed(mode, ear.name, fallback=False)
            return Detector(used, changed(PROVIDER, overrides), score, language)
        name, score = scores.first_of(ENGINES[Mode.BALANCED])
        used = EngineUsed(mode, name, fallback=True)
        return Detector(used, changed(parameters_of(Mode.BALANCED, name), overrides), score, language)
    name, score = scores.first_of(ENGINES[mode])
    fallback = name != ENGINES[mode][0] and name not in _AS_GOOD
    return Detector(EngineUsed(mode, name, fallback), changed(parameters_of(mode, name), overrides), score, language)


def parameters_of(mode: Mode, engine: str) -> Parameters:
    """A mode's own numbers with this engine."""
    if mode is Mode.PROVIDER:
        return PROVIDER
    return _PCM[mode] if engine == "pcm" else _NATIVE[mode]
