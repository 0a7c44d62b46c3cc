"""What a recording lets one hear of a turn, against one whose every moment is known."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.agent.voices import RATE, spoken

from rymi_server.post_call.turn_quality import Heard, quality_of
from rymi_server.recordings.laying import Piece, lay
from rymi_server.recordings.wav import header

_ANSWER = spoken("Of course. A cleaning is eighty dollars.", "slt")
# The moment at which words begin or end is told in steps of 20 ms.
_TRUE_WITHIN_MS = 50
_GAP_MS = 800
_BEGINS_MS = 1_000


def turn(speech_ended_at_ms: int, answer_heard_at_ms: int) -> dict[str, object]:
    return {
        **{"turn": 1, "run": "1", "participant_id": None, "mode": "balanced", "engine": "webrtc", "fallback": False},
        **{"started_at_ms": _BEGINS_MS, "speech_ended_at_ms": speech_ended_at_ms, "end_reason": "silence"},
        **{"decided_at_ms": speech_ended_at_ms + 600, "answer_pushed_at_ms": answer_heard_at_ms - 50},
        **{"answer_heard_at_ms": answer_heard_at_ms, "interrupted_at_ms": None, "silent_at_ms": None},
        **{"parts": {}, "trace": {}},
    }


def laid(folder: Path, question: NDArray[np.float64], noise: float) -> tuple[Heard, int]:
    """A recording in which the answer begins a gap after the question, and when the question ends."""
    begin, answer_at = _at(_BEGINS_MS), _at(_BEGINS_MS) + len(question) + _at(_GAP_MS)
    sound = np.random.default_rng(1).normal(0, noise * 32_767, (answer_at + len(_ANSWER) + RATE, 2))
    sound[begin : begin + len(question), 0] += question
    sound[answer_at : answer_at + len(_ANSWER), 1] += _ANSWER
    content = sound.clip(-32_768, 32_767).astype("<i2").tobytes()
    (folder / "piece.wav").write_bytes(header(2, RATE, len(content)) + content)
    found = lay([Piece(str(folder / "piece.wav"), 0)], folder / "stereo.wav", folder / "peaks.json")
    return Heard(found.speech["people"], found.speech["agent"]), (begin + len(question)) * 1_000 // RATE


def _at(milliseconds: int) -> int:
    return milliseconds * RATE // 1_000


def audible(text: str, voice: str, loud: float) -> NDArray[np.float64]:
    """From its first to its last sound that is no more than 40 dB below its loudest."""
    samples = spoken(text, voice).astype(np.float64)
    heard = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 0.01)
    samples = samples[heard[0] : heard[-1] + 1]
    return samples / np.abs(samples).max() * loud * 32_767


class TestTheGapInARecording:
    @pytest.mark.parametrize("noise", [0, 0.0005], ids=["silence", "hiss"])
    @pytest.mark.parametrize("loud", [0.9, 0.3], ids=["loud", "quiet"])
    @pytest.mark.parametrize(
        ("text", "voice"),
        [
            ("How much is a cleaning?", "slt"),
            ("Yes, that is great, thank you.", "rms"),
            ("I would like to book an appointment for Tuesday at three.", "slt"),
            ("Where is your office?", "rms"),
            ("No thanks.", "slt"),
        ],
    )
    def test_is_the_true_one(self, tmp_path: Path, text: str, voice: str, loud: float, noise: float) -> None:
        heard, ended = laid(tmp_path, audible(text, voice, loud), noise)
        (one,) = quality_of([turn(ended, ended + _GAP_MS)], heard)["turns"]
        assert abs(one["heard"]["gap_ms"] - _GAP_MS) <= _TRUE_WITHIN_MS
        assert abs(one["heard"]["speech_ended_at_ms"] - ended) <= _TRUE_WITHIN_MS
        assert one["disagreement_ms"] <= _TRUE_WITHIN_MS

    def test_is_found_in_a_noise_that_is_as_loud_as_a_whisper(self, tmp_path: Path) -> None:
        heard, ended = laid(tmp_path, audible("How much is a cleaning?", "slt", 0.1), 0.005)
        (one,) = quality_of([turn(ended, ended + _GAP_MS)], heard)["turns"]
        assert abs(one["heard"]["gap_ms"] - _GAP_MS) <= _TRUE_WITHIN_MS

    def test_does_not_agree_with_a_trace_that_is_wrong(self, tmp_path: Path) -> None:
        heard, ended = laid(tmp_path, audible("How much is a cleaning?", "slt", 0.9), 0)
        (one,) = quality_of([turn(ended, ended + _GAP_MS + 300)], heard)["turns"]
        assert abs(one["disagreement_ms"] - 300) <= _TRUE_WITHIN_MS
