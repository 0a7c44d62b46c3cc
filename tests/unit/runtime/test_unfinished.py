"""For how long somebody is waited for who was not done, on a clock that is told."""

from rymi_server.runtime.session.unfinished import Unfinished
from rymi_server.runtime.thinking.turn_marks import MARKS, Judged, TurnCompletion


def judged(kind: Judged) -> Unfinished:
    unfinished = Unfinished(TurnCompletion(MARKS["ascii"], cut_s=2.0, thinking_s=6.0))
    unfinished.judge(kind)
    return unfinished


def test_is_due_once_nobody_was_heard_for_so_long() -> None:
    unfinished = judged(Judged.CUT)
    assert unfinished.answer_given() == 2.0
    assert [bool(unfinished.due(now)) for now in (10.0, 11.9, 12.0, 12.1)] == [False, False, True, False]


def test_begins_anew_when_somebody_is_heard() -> None:
    unfinished = judged(Judged.THINKING)
    assert unfinished.answer_given() == 6.0
    assert not unfinished.due(10.0)
    unfinished.broken()
    assert [bool(unfinished.due(now)) for now in (15.0, 20.9, 21.0)] == [False, False, True]


def test_is_over_when_they_have_gone_on() -> None:
    unfinished = judged(Judged.CUT)
    unfinished.answer_given()
    assert not unfinished.due(10.0)
    unfinished.over()
    assert not unfinished.due(99.0)


def test_is_nothing_before_the_answer_is_given_or_where_they_were_done() -> None:
    assert not judged(Judged.CUT).due(99.0)
    assert judged(Judged.DONE).answer_given() is None


def test_an_answer_that_was_due_takes_back_what_was_left_open() -> None:
    unfinished = judged(Judged.CUT)
    unfinished.answer_given()
    assert unfinished.answer_given() is None
    assert not unfinished.due(99.0)
