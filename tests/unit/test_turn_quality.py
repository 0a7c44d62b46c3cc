"""Turns measured by trace and by waveform, and turns compared across detectors."""

from typing import Any

import pytest

from rymi_server.post_call.turn_quality import Heard, quality_of
from rymi_server.recordings.loudness import Loudness
from rymi_server.runtime.turn_taking.comparing import Turn, compare


def turn(**changed: Any) -> dict[str, Any]:
    return {
        "turn": 1,
        "run": "1",
        "participant_id": None,
        "mode": "balanced",
        "engine": "webrtc",
        "fallback": False,
        "started_at_ms": 1_000,
        "speech_ended_at_ms": 2_000,
        "decided_at_ms": 2_600,
        "end_reason": "silence",
        "answer_pushed_at_ms": 2_700,
        "answer_heard_at_ms": 2_800,
        "interrupted_at_ms": None,
        "silent_at_ms": None,
        "parts": {"llm": 40.4},
        "trace": {},
        **changed,
    }


class TestQuality:
    def test_shows_the_gap_and_its_parts_twice(self) -> None:
        found = quality_of([turn()], Heard(people=[(1_000, 1_960)], agent=[(2_820, 4_000)]))
        (one,) = found["turns"]
        assert one["traced"]["gap_ms"] == 800
        assert one["traced"]["parts_ms"] == {"end_of_turn": 600, "answer": 100, "playout": 100, "llm": 40}
        assert one["heard"]["gap_ms"] == 860
        assert one["disagreement_ms"] == 60
        assert found["summary"]["gap_ms"]["traced"] == {"count": 1, "p50": 800, "p95": 800, "max": 800}
        assert found["summary"]["engines"] == {"balanced/webrtc": 1}

    def test_shows_how_soon_a_barge_in_was_obeyed(self) -> None:
        interrupting = turn(interrupted_at_ms=3_300, silent_at_ms=3_340)
        heard = Heard(people=[(1_000, 2_000), (3_100, 3_900)], agent=[(2_800, 3_360)])
        (one,) = quality_of([interrupting], heard)["turns"]
        assert one["traced"]["barge_in_stop_ms"] == 40
        assert one["heard"]["barge_in_stop_ms"] == 60
        assert one["heard"]["onset_to_silence_ms"] == 260

    def test_counts_cut_ins_and_talk_over(self) -> None:
        heard = Heard(people=[(1_000, 2_000), (2_700, 4_000)], agent=[(3_000, 3_500)])
        found = quality_of([turn(answer_heard_at_ms=3_000)], heard)
        assert [each["kind"] for each in found["cut_ins"]] == ["went_on", "began_over_speech"]
        assert found["summary"]["talk_over_ms"] == 500

    def test_says_what_it_cannot_know(self) -> None:
        found = quality_of([turn(answer_pushed_at_ms=None, answer_heard_at_ms=None)], None)
        assert found["recorded"] is False
        assert found["turns"][0]["heard"] is None
        assert found["turns"][0]["traced"]["gap_ms"] is None
        assert found["summary"]["gap_ms"] == {"traced": None, "heard": None}
        assert found["summary"]["talk_over_ms"] is None
        assert quality_of([], None)["summary"]["turns"] == 0

    def test_takes_no_answer_for_one_that_the_caller_did_not_wait_for(self) -> None:
        heard = Heard(people=[(1_000, 2_000), (2_300, 3_000)], agent=[(4_000, 5_000)])
        (one,) = quality_of([turn(answer_heard_at_ms=4_000)], heard)["turns"]
        assert one["heard"]["gap_ms"] is None

    @pytest.mark.parametrize(("count", "p50", "p95"), [(1, 1, 1), (2, 1, 2), (20, 10, 19), (100, 50, 95)])
    def test_ranks_as_one_counts(self, count: int, p50: int, p95: int) -> None:
        turns = [turn(speech_ended_at_ms=0, answer_heard_at_ms=n + 1) for n in range(count)]
        spread = quality_of(turns, None)["summary"]["gap_ms"]["traced"]
        assert (spread["p50"], spread["p95"]) == (p50, p95)


class TestLoudness:
    def test_finds_when_each_side_made_a_sound(self) -> None:
        loudness = Loudness(16_000, 2_000)
        loud, quiet = (1).to_bytes(2, "little") * 0 + b"\x00\x20", b"\x00\x00"
        loudness.push((quiet + quiet) * 8_000)
        loudness.push((loud + quiet) * 8_000)
        loudness.push((quiet + loud) * 16_000)
        assert loudness.speech("people") == [(500, 1_000)]
        assert loudness.speech("agent") == [(1_000, 2_000)]
        assert loudness.outline()["length"] == 100

    def test_takes_no_click_for_speech(self) -> None:
        loudness = Loudness(16_000, 1_000)
        loudness.push(bytes(4) * 8_000 + b"\xff\x7f\x00\x00" * 320 + bytes(4) * 7_680)
        assert loudness.speech("people") == []

    def test_hears_nothing_in_silence_of_any_length(self) -> None:
        assert Loudness(16_000, 0).speech("people") == []
        loudness = Loudness(16_000, 10)
        loudness.push(bytes(4_003))
        assert loudness.speech("agent") == []


class TestComparing:
    def test_pairs_turns_by_where_the_words_ended(self) -> None:
        then = [Turn(1_000, 1_650, "silence"), Turn(5_000, 5_650, "silence")]
        now = [Turn(1_020, 1_470, "silence"), Turn(3_000, 3_450, "silence")]
        found = compare(then, now)
        assert [each.later_ms for each in found] == [-180, None, None]
        assert [each.then is None for each in found] == [False, True, False]
