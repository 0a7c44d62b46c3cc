"""The turn detectors of this machine on voices: bars that hold with a margin. `benchmarks/turns.py` has the table."""

from statistics import median

import numpy as np
import pytest
from tests.speech.sounding import SOUNDS, cough, said, silence

from rymi_server.runtime.turn_taking.choosing import ENGINES, detector_for, parameters_of
from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.modes import Overrides, changed
from rymi_server.runtime.turn_taking.scores import Scores, installed_scores
from rymi_server.runtime.turn_taking.signals import Began, Dropped, Ended, EngineUsed, Mode, Signal

VOICES = sorted(file.stem for file in SOUNDS.glob("*.wav"))
AFTER_S = 1.8
EVERY = [(mode, engine) for mode, engines in ENGINES.items() for engine in engines]
# The middle of all delays between the end of speech and the end of the turn.
BARS_MS = {Mode.STEADY: 950, Mode.BALANCED: 700, Mode.SENSITIVE: 550}
# The same between the first loud sample and the beginning of the turn.
SURE_AFTER_MS = 90
LOUD = 300


@pytest.fixture(scope="module")
def scores() -> Scores:
    return installed_scores()


def detector(scores: Scores, mode: Mode, engine: str) -> Detector:
    name, score = scores.first_of([engine])
    parameters = changed(parameters_of(mode, name), Overrides(text_aware=False, adaptive=False))
    return Detector(EngineUsed(mode, name, fallback=False), parameters, score)


def fed(detector: Detector, sound: bytes) -> list[Signal]:
    frames = [sound[at : at + 640] for at in range(0, len(sound) - 639, 640)]
    return [signal for frame in frames for signal in detector.push(frame)]


@pytest.mark.parametrize(("mode", "engine"), EVERY)
class TestEveryDetector:
    def test_ends_each_turn_in_time(self, scores: Scores, mode: Mode, engine: str) -> None:
        delays = []
        hearing = detector(scores, mode, engine)
        assert fed(hearing, silence(1)) == []
        at_ms = 1_000
        for name in VOICES:
            sound = said(name, before=0.5, after=AFTER_S)
            signals = fed(hearing, sound)
            speech_ends = at_ms + (len(sound) // 32 - AFTER_S * 1_000)
            at_ms += len(sound) // 640 * 20
            assert isinstance(signals[0], Began), name
            assert isinstance(signals[-1], Ended), name
            delays.append(signals[-1].at_ms - speech_ends)
        assert 0 < median(delays) <= BARS_MS[mode]

    def test_hears_the_last_words_after_a_noise(self, scores: Scores, mode: Mode, engine: str) -> None:
        hearing = detector(scores, mode, engine)
        fed(hearing, cough(3) + silence(2))
        assert not hearing.speaking
        assert any(isinstance(signal, Ended) for signal in fed(hearing, said("appointment", after=AFTER_S)))


class TestTheSensitiveDetector:
    def test_takes_no_cough_for_speech(self, scores: Scores) -> None:
        hearing = detector_for(Mode.SENSITIVE, Overrides(), scores)
        assert hearing.used.engine == "silero"
        signals = fed(hearing, b"".join(cough(seed) for seed in range(12)))
        assert sum(isinstance(signal, Began | Dropped) for signal in signals) <= 1

    def test_begins_with_the_first_sound_that_is_surely_speech(self, scores: Scores) -> None:
        """So that an agent who is interrupted falls silent as soon as can be."""
        hearing = detector_for(Mode.SENSITIVE, Overrides(), scores)
        delays, at_ms = [], 0
        for name in VOICES:
            sound = said(name, before=0.5, after=AFTER_S)
            loud = np.abs(np.frombuffer(sound, np.int16)) > LOUD
            began = next(signal for signal in fed(hearing, sound) if isinstance(signal, Began))
            delays.append(began.at_ms - at_ms - int(np.argmax(loud)) / 16)
            at_ms += len(sound) // 640 * 20
        assert 0 < median(delays) <= SURE_AFTER_MS


class TestTheScores:
    def test_are_all_on_this_machine(self, scores: Scores) -> None:
        scores.warm({engine for _, engine in EVERY})
        assert scores.missing == {}

    def test_of_webrtc_and_of_pocketsphinx_are_the_same(self, scores: Scores) -> None:
        (_, one), (_, other) = scores.first_of(["webrtc"]), scores.first_of(["pocketsphinx"])
        sound = said("appointment")
        frames = [sound[at : at + 640] for at in range(0, len(sound) - 639, 640)]
        assert [one.push(frame) for frame in frames] == [other.push(frame) for frame in frames]
