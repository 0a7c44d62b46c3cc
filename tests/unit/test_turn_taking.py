"""When a turn begins and ends: `runtime/turn_taking`, with scores and levels that are made up or synthesised."""

import numpy as np
import pytest

from rymi_server.runtime.turn_taking.choosing import detector_for
from rymi_server.runtime.turn_taking.completeness import Sounds, sounds, trailing_digits
from rymi_server.runtime.turn_taking.detector import Detector
from rymi_server.runtime.turn_taking.hang_over import HangOver
from rymi_server.runtime.turn_taking.interruption import Interruption, interruption_of
from rymi_server.runtime.turn_taking.level import BandLevel
from rymi_server.runtime.turn_taking.modes import (
    BALANCED,
    STEADY,
    Overrides,
    changed,
    mode_named,
    overrides_of,
)
from rymi_server.runtime.turn_taking.scores import Always, Make, ScoreMissing, Scores
from rymi_server.runtime.turn_taking.signals import Began, Dropped, Ended, EngineUsed, Mode, Paused, Signal
from rymi_server.speech_engines.promises import Abilities, Expected

RATE = 16_000
STREAMING = Abilities("deepgram:nova-3", gives_turn_ends=True)


def hiss(seconds: float, db: float = -70, seed: int = 1) -> bytes:
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (noise * 10 ** (db / 20) * 32_768).clip(-32_768, 32_767).astype(np.int16).tobytes()


def voice(seconds: float, db: float = -20) -> bytes:
    """Syllables: a rich tone that swells and fades four times a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * 150 * k * t) / k for k in range(2, 12))
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * t)
    return (tone * swell * 10 ** (db / 20) * 32_768).clip(-32_768, 32_767).astype(np.int16).tobytes()


def fed(detector: Detector, sound: bytes) -> list[Signal]:
    frames = [sound[at : at + 640] for at in range(0, len(sound) - 639, 640)]
    return [signal for frame in frames for signal in detector.push(frame)]


def loads(*names: str) -> Scores:
    """Scores of which only these can be had, and all of which take everything for speech."""

    def missing() -> Make:
        raise ScoreMissing("not on this machine")

    known = ("rms", "webrtc", "pocketsphinx", "silero", "pcm")
    return Scores({name: (lambda: Always) if name in names else missing for name in known})


def steady(overrides: Overrides | None = None) -> Detector:
    return detector_for(Mode.STEADY, overrides or Overrides(), loads("rms"))


def provider() -> Detector:
    return detector_for(Mode.PROVIDER, Overrides(), loads("rms"), ear=STREAMING)


class TestADetector:
    def test_says_when_a_turn_began_paused_and_ended(self) -> None:
        began, paused, ended = fed(steady(), hiss(1) + voice(1.5) + hiss(1.5))
        assert isinstance(began, Began)
        assert isinstance(paused, Paused)
        assert isinstance(ended, Ended)
        assert 1_140 <= began.at_ms <= 1_300
        assert abs(ended.speech_ended_at_ms - 2_500) <= 120
        assert (ended.why, ended.hang_ms, ended.hang_reason) == ("silence", 900, "fixed")
        assert ended.at_ms - ended.speech_ended_at_ms in range(900, 921)
        assert paused.at_ms - ended.speech_ended_at_ms == 300

    def test_drops_what_is_too_short_to_be_a_turn(self) -> None:
        began, dropped = fed(steady(), hiss(1) + voice(0.2) + hiss(1.5))
        assert isinstance(began, Began)
        assert isinstance(dropped, Dropped)

    def test_takes_a_short_word_for_a_turn_once_it_was_recognised(self) -> None:
        detector = steady()
        fed(detector, hiss(1) + voice(0.2))
        detector.hear_draft("yes")
        assert isinstance(fed(detector, hiss(1.5))[-1], Ended)

    def test_hears_nothing_in_noise_alone(self) -> None:
        assert fed(steady(), hiss(3, db=-40)) == []

    def test_waits_for_a_word_that_begins_softly_just_as_it_would_end(self) -> None:
        """The th of "yes, that is right", which is far below its vowels."""
        softly = hiss(0.06, db=-50)
        signals = fed(steady(), hiss(1) + voice(1.5) + hiss(0.86, seed=2) + softly + voice(1) + hiss(1.5))
        assert [type(signal) for signal in signals] == [Began, Paused, Paused, Ended]

    def test_does_not_wait_long_for_what_is_no_word(self) -> None:
        ended = fed(steady(), hiss(1) + voice(1.5) + hiss(0.86, seed=2) + hiss(1, db=-50))[2]
        assert isinstance(ended, Ended)
        assert 980 <= ended.at_ms - ended.speech_ended_at_ms <= 1_020

    def test_does_not_wait_for_what_goes_on_behind_the_speaker(self) -> None:
        ended = fed(steady(), hiss(1) + voice(1.5) + hiss(1.5, db=-50))[2]
        assert isinstance(ended, Ended)
        assert ended.at_ms - ended.speech_ended_at_ms in range(900, 921)

    def test_pauses_again_after_speech_went_on(self) -> None:
        signals = fed(steady(), hiss(1) + voice(1) + hiss(0.5, seed=2) + voice(1) + hiss(1.5))
        assert [type(signal) for signal in signals] == [Began, Paused, Paused, Ended]

    def test_pauses_again_where_the_words_have_changed(self) -> None:
        detector = steady()
        assert [type(signal) for signal in fed(detector, hiss(1) + voice(1))] == [Began]
        detector.hear_draft("tell me is story")
        assert [type(signal) for signal in fed(detector, hiss(0.4))] == [Paused]
        detector.hear_draft("tell me is story")
        assert fed(detector, hiss(0.1)) == []
        detector.hear_draft("tell me a story")
        assert [type(signal) for signal in fed(detector, hiss(0.1))] == [Paused]

    def test_ends_a_turn_that_never_ends(self) -> None:
        signals = fed(steady(Overrides(max_turn_ms=2_000)), hiss(1) + voice(2.6))
        ended = next(signal for signal in signals if isinstance(signal, Ended))
        assert ended.why == "too_long"

    def test_answers_sooner_when_the_words_sound_complete(self) -> None:
        detector = steady()
        fed(detector, hiss(1) + voice(1))
        detector.hear_draft("what are your opening hours")
        ended = fed(detector, hiss(1.5))[-1]
        assert isinstance(ended, Ended)
        assert (ended.hang_ms, ended.hang_reason) == (600, "sounds_done")

    def test_waits_longer_when_the_words_sound_unfinished(self) -> None:
        detector = steady()
        fed(detector, hiss(1) + voice(1))
        detector.hear_draft("my name is")
        ended = fed(detector, hiss(2))[-1]
        assert isinstance(ended, Ended)
        assert (ended.hang_ms, ended.hang_reason) == (1_600, "sounds_open")

    def test_refuses_a_frame_of_another_size(self) -> None:
        with pytest.raises(ValueError, match="640"):
            steady().push(b"\0" * 320)

    def test_tells_why_it_decides_as_it_does(self) -> None:
        detector = steady()
        fed(detector, hiss(1))
        trace = detector.trace()
        assert -80 < float(trace["noise_db"]) < -65
        assert trace["hang_reason"] == "fixed"

    def test_takes_no_words_of_the_turn_before_for_its_own(self) -> None:
        detector = steady()
        fed(detector, hiss(1) + voice(1) + hiss(1))
        detector.hear_draft("my name is")
        assert isinstance(fed(detector, voice(0.2) + hiss(1.5))[-1], Dropped)


class TestTheProviderMode:
    def test_takes_the_recogniser_s_word_for_begin_and_end(self) -> None:
        detector = provider()
        assert detector.used == EngineUsed(Mode.PROVIDER, "deepgram:nova-3", fallback=False)
        fed(detector, hiss(1))
        detector.hear_boundary(True)
        (began,) = fed(detector, hiss(0.1))
        detector.hear_boundary(False)
        (ended,) = fed(detector, hiss(0.1))
        assert isinstance(began, Began)
        assert isinstance(ended, Ended)
        assert ended.why == "provider"

    def test_begins_with_the_first_word(self) -> None:
        detector = provider()
        fed(detector, hiss(1))
        detector.hear_draft("hello")
        assert [type(signal) for signal in fed(detector, hiss(0.1))] == [Began]

    def test_ends_by_itself_when_the_recogniser_forgets_to(self) -> None:
        ended = fed(provider(), hiss(1) + voice(1) + hiss(2))[-1]
        assert isinstance(ended, Ended)
        assert (ended.why, ended.hang_ms, ended.hang_reason) == ("silence", 1_500, "safety_net")

    def test_begins_no_turn_with_a_draft_that_trickles_in_after_the_end(self) -> None:
        detector = provider()
        fed(detector, hiss(1))
        detector.hear_boundary(True)
        fed(detector, hiss(0.2))
        detector.hear_boundary(False)
        fed(detector, hiss(0.1))
        detector.hear_draft("hello there")
        assert fed(detector, hiss(0.2)) == []

    def test_becomes_balanced_where_the_recogniser_tells_no_ends(self) -> None:
        detector = detector_for(Mode.PROVIDER, Overrides(), loads("webrtc"), ear=Abilities("openai:whisper-1"))
        assert detector.used == EngineUsed(Mode.PROVIDER, "webrtc", fallback=True)
        detector.hear_boundary(True)
        assert fed(detector, hiss(0.2)) == []


class TestTheEngineUsed:
    @pytest.mark.parametrize(
        ("mode", "here", "engine", "fallback"),
        [
            (Mode.STEADY, ["rms"], "rms", False),
            (Mode.BALANCED, ["webrtc", "pocketsphinx", "pcm"], "webrtc", False),
            (Mode.BALANCED, ["pocketsphinx", "pcm"], "pocketsphinx", False),
            (Mode.BALANCED, ["pcm"], "pcm", True),
            (Mode.SENSITIVE, ["silero", "pcm"], "silero", False),
            (Mode.SENSITIVE, ["pcm"], "pcm", True),
        ],
    )
    def test_is_the_best_that_is_here(self, mode: Mode, here: list[str], engine: str, fallback: bool) -> None:
        assert detector_for(mode, Overrides(), loads(*here)).used == EngineUsed(mode, engine, fallback)

    def test_is_said_to_be_missing_once(self) -> None:
        scores = loads("pcm")
        scores.warm(["silero"])
        assert scores.missing == {"silero": "not on this machine"}
        with pytest.raises(ScoreMissing, match="not on this machine"):
            scores.first_of(["silero"])


class TestModes:
    @pytest.mark.parametrize(
        ("name", "mode"),
        [
            (None, Mode.STEADY),
            ("rms", Mode.STEADY),
            ("webrtc", Mode.BALANCED),
            ("silero", Mode.SENSITIVE),
            ("provider-signal", Mode.PROVIDER),
            ("sensitive", Mode.SENSITIVE),
        ],
    )
    def test_have_aliases(self, name: str | None, mode: Mode) -> None:
        assert mode_named(name) is mode

    def test_are_four(self) -> None:
        with pytest.raises(ValueError, match="eager"):
            mode_named("eager")

    def test_keep_overrides_within_bounds(self) -> None:
        wild = changed(BALANCED, Overrides(hang_ms=9_000, start_ms=1, min_speech_ms=5_000))
        assert (wild.hang.base_ms, wild.gate.start_ms, wild.gate.min_speech_ms) == (3_000, 20, 1_000)

    def test_scale_the_other_waits_with_the_base(self) -> None:
        hang = changed(STEADY, Overrides(hang_ms=450)).hang
        assert (hang.base_ms, hang.done_ms, hang.open_ms) == (450, 300, 1_600)

    def test_read_seconds_and_milliseconds(self) -> None:
        overrides = overrides_of({"replyDelay": 0.8, "waitAfterSentence": 300, "maxTurnLength": "long"})
        assert (overrides.hang_ms, overrides.done_ms, overrides.max_turn_ms) == (800, 300, None)


class TestAnInterruption:
    def test_takes_any_word_where_nothing_is_asked_for(self) -> None:
        asked = interruption_of({"advanced": {"stopSpeakingThreshold": "soon"}, "persona": None})
        assert asked == Interruption(allowed=True, resumes=True)
        assert asked.takes(spoken_ms=100, words=1)

    def test_takes_so_many_words_or_so_much_speech(self) -> None:
        words = interruption_of({"advanced": {"stopSpeakingThreshold": 3}})
        assert (words.takes(2_000, 2), words.takes(500, 3)) == (False, True)
        time = interruption_of({"advanced": {"stopSpeakingThreshold": 0.4}})
        assert (time.takes(390, 9), time.takes(400, 1)) == (False, True)
        assert interruption_of({"advanced": {"stopSpeakingThreshold": 9_000}}).speech_ms == 3_000

    def test_is_not_allowed_where_the_voice_says_so(self) -> None:
        agent = {"persona": {"voiceConfig": {"bargeInEnabled": False}}, "advanced": {"resumeAfterInterruption": False}}
        assert interruption_of(agent) == Interruption(allowed=False, resumes=False)


class TestHowAnUtteranceSounds:
    @pytest.mark.parametrize(
        ("text", "how"),
        [
            ("", Sounds.MID),
            ("yes", Sounds.DONE),
            ("no thank you goodbye", Sounds.DONE),
            ("what are your opening hours", Sounds.DONE),
            ("Can you hear me?", Sounds.DONE),
            ("monday at three in the afternoon", Sounds.DONE),
            ("I live in Boston.", Sounds.DONE),
            ("i would like to book an appointment and", Sounds.OPEN),
            ("my name is", Sounds.OPEN),
            ("it was on the fifth of", Sounds.OPEN),
            ("well,", Sounds.OPEN),
            ("let me see", Sounds.OPEN),
            ("can you tell me", Sounds.DONE),
            ("my number is five five five", Sounds.DIGITS),
            ("my number is five five five one two three four five six seven", Sounds.DONE),
            ("555-123-4567", Sounds.DONE),
            ("i have a dog", Sounds.MID),
        ],
    )
    def test_decides_by_its_end(self, text: str, how: Sounds) -> None:
        assert sounds(text) is how

    def test_depends_on_what_was_asked(self) -> None:
        assert sounds("yes i have a dog", Expected("yes_no")) is Sounds.DONE
        assert sounds("one two", Expected("digits", digits=4)) is Sounds.DIGITS
        assert sounds("one two three four", Expected("digits", digits=4)) is Sounds.DONE
        assert sounds("five", Expected("phone")) is Sounds.DIGITS
        assert sounds("the blue one", Expected("choice", choices=("blue one", "red one"))) is Sounds.DONE

    def test_knows_no_words_of_other_languages(self) -> None:
        assert sounds("ich heiße und", language="de-DE") is Sounds.MID
        assert sounds("Wie geht es?", language="de-DE") is Sounds.DONE

    @pytest.mark.parametrize(
        ("line", "count"),
        [
            ("five five five", 3),
            ("double five one", 3),
            ("triple seven", 3),
            ("twenty four", 2),
            ("twelve", 2),
            ("call me", 0),
        ],
    )
    def test_counts_digits(self, line: str, count: int) -> None:
        assert trailing_digits(line.split()) == count


class TestTheHangOver:
    def test_grows_when_the_speaker_was_cut(self) -> None:
        hang = HangOver(BALANCED.hang)
        hang.began(1_000)
        hang.ended(3_000, was_turn=True)
        hang.began(3_500)
        assert hang.chosen() == (850, "adapted")

    def test_shrinks_a_little_with_turns_that_were_not(self) -> None:
        hang = HangOver(BALANCED.hang)
        for turn in range(10):
            hang.began(turn * 10_000)
            hang.ended(turn * 10_000 + 3_000, was_turn=True)
        assert hang.chosen() == (500, "adapted")

    def test_learns_how_long_this_speaker_pauses(self) -> None:
        hang = HangOver(BALANCED.hang)
        hang.began(0)
        for _ in range(4):
            hang.resumed(700)
        hang.ended(9_000, was_turn=True)
        assert hang.chosen() == (850, "adapted")

    def test_forgets_words_with_the_turn_they_belong_to(self) -> None:
        hang = HangOver(BALANCED.hang)
        hang.hear_draft("my name is", 100)
        assert hang.chosen() == (1_500, "sounds_open")
        hang.ended(5_000, was_turn=True)
        assert hang.chosen() == (650, "fixed")
        hang.hear_draft("my name is", 5_100)
        hang.began(9_000)
        assert hang.chosen() == (650, "fixed")

    def test_keeps_to_the_base_where_it_may_not_read_along(self) -> None:
        hang = HangOver(changed(BALANCED, Overrides(text_aware=False, adaptive=False)).hang)
        hang.hear_draft("my name is", 100)
        hang.ended(200, was_turn=True)
        hang.began(300)
        assert hang.chosen() == (650, "fixed")


class TestTheLevel:
    def test_leaves_out_what_rumbles(self) -> None:
        t = np.arange(RATE) / RATE
        rumble = (np.sin(2 * np.pi * 50 * t) * 10_000).astype(np.int16).tobytes()
        speech = (np.sin(2 * np.pi * 1_000 * t) * 10_000).astype(np.int16).tobytes()
        low, high = BandLevel(), BandLevel()
        assert max(low.push(rumble[at : at + 640]) for at in range(640, len(rumble), 640)) < -35
        assert min(high.push(speech[at : at + 640]) for at in range(640, len(speech), 640)) > -16
