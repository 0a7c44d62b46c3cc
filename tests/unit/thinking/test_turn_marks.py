"""The marks by which a model tells whether the caller was done."""

import itertools
from typing import Any

import pytest

from rymi_server.runtime.thinking.prompts import compile_prompt
from rymi_server.runtime.thinking.turn_marks import MARKS, Judged, MarkReader, turn_completion_of

ASCII, UNICODE = MARKS["ascii"], MARKS["unicode"]


def read(text: str, cuts: tuple[int, ...], marks: Any = ASCII) -> tuple[str, Judged | None]:
    reader = MarkReader(marks)
    ends = (*cuts, len(text))
    pieces = [text[start:end] for start, end in itertools.pairwise((0, *ends))]
    return "".join(reader.feed(piece) for piece in pieces) + reader.finish(), reader.judged


class TestReading:
    @pytest.mark.parametrize("marks", [ASCII, UNICODE])
    @pytest.mark.parametrize("judged", list(Judged))
    def test_finds_the_mark_however_the_answer_is_cut(self, marks: Any, judged: Judged) -> None:
        text = f" {marks[judged]} We open at nine."
        spoken = "We open at nine." if judged is Judged.DONE else ""
        for cuts in itertools.combinations(range(1, len(text)), 2):
            got, found = read(text, cuts, marks)
            assert (got.strip(), found) == (spoken, judged)

    @pytest.mark.parametrize("text", ["We open at nine.", "<b>Nine.", "<", "<don", ""])
    def test_takes_an_answer_without_a_mark_for_one_that_is_due(self, text: str) -> None:
        for cut in range(len(text)):
            assert read(text, (cut,)) == (text, Judged.DONE)

    def test_leaves_marks_in_the_middle_alone(self) -> None:
        assert read("<done>a <cut> b", ()) == ("a <cut> b", Judged.DONE)


class TestWhatIsAskedFor:
    @pytest.mark.parametrize(
        "wanted", [None, {}, {"enabled": False}, {"enabled": "yes"}, {"markerSet": "ascii"}, "on", 5]
    )
    def test_is_nothing_unless_it_is_switched_on(self, wanted: Any) -> None:
        agent = {"system_prompt": "Sell.", "advanced": {"turnCompletion": wanted}}
        assert turn_completion_of(agent) is None
        assert "mark" not in compile_prompt({**agent, "advanced": {"prompt_mode": "raw"}}, {}).text

    def test_waits_as_long_as_the_author_says(self) -> None:
        wanted = {"enabled": True, "markerSet": "ascii", "incompleteShortMs": 1_500, "incompleteLongMs": 9_000}
        found = turn_completion_of({"advanced": {"turnCompletion": wanted}})
        assert found is not None
        assert [found.seconds(each) for each in Judged] == [None, 1.5, 9.0]
        assert found.marks == ASCII

    def test_waits_five_and_ten_seconds_where_nothing_is_said(self) -> None:
        found = turn_completion_of({"advanced": {"turnCompletion": {"enabled": True, "incompleteShortMs": "x"}}})
        assert found is not None
        assert [found.seconds(each) for each in Judged] == [None, 5.0, 10.0]
        assert found.marks == UNICODE

    @pytest.mark.parametrize("mode", ["raw", "builder"])
    def test_is_told_to_the_model_in_every_kind_of_prompt(self, mode: str) -> None:
        advanced = {"prompt_mode": mode, "turnCompletion": {"enabled": True}}
        text = compile_prompt({"system_prompt": "Sell lamps.", "advanced": advanced}, {}).text
        assert "Sell lamps." in text
        assert all(mark in text for mark in UNICODE.values())
