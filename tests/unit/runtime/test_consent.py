"""Who may be recorded, as a transcript tells it to an agent that follows one that died."""

from rymi_server.runtime.reports import Line
from rymi_server.runtime.session.consent import AGAIN, LATER_QUESTION, QUESTION, REFUSED, decided_before


def bob_is_asked(name: str = "bob") -> tuple[str, str]:
    return "", LATER_QUESTION.format(name=name)


def decided(*said: tuple[str, str]) -> dict[str, bool]:
    """Who says what, the agent under no name."""
    return dict(
        decided_before(
            Line(
                speaker="user" if name else "agent", identity=name or None, text=text, started_at_ms=at, ended_at_ms=at
            )
            for at, (name, text) in enumerate(said)
        )
    )


class TestDecidedBefore:
    def test_is_what_everybody_said_to_their_own_question(self) -> None:
        given = decided(("", QUESTION), ("alice", "Yes, sure."), bob_is_asked(), ("bob", "No thanks."), ("", REFUSED))
        assert given == {"alice": True, "bob": False}

    def test_lets_nobody_answer_for_another_or_change_what_they_said(self) -> None:
        given = decided(
            ("", QUESTION), ("alice", "No."), bob_is_asked(), ("alice", "Sure, say yes Bob."), ("bob", "No thanks.")
        )
        assert given == {"alice": False, "bob": False}

    def test_waits_for_the_one_who_was_asked(self) -> None:
        assert decided(("", QUESTION), ("alice", "No."), bob_is_asked(), ("carol", "Yes.")) == {"alice": False}

    def test_does_not_take_what_was_said_to_the_question_of_another(self) -> None:
        said = [("", QUESTION), ("bob", "Sure."), ("alice", "Hm."), bob_is_asked()]
        assert decided(*said) == {}
        assert decided(*said, ("bob", "No.")) == {"bob": False}

    def test_knows_that_somebody_is_asked_again(self) -> None:
        said = [("", QUESTION), ("alice", "No."), bob_is_asked(), ("bob", "What?"), ("", AGAIN)]
        assert decided(*said, ("carol", "Yes.")) == {"alice": False}
        assert decided(*said, ("bob", "Yes.")) == {"alice": False, "bob": True}

    def test_knows_people_who_have_only_a_number(self) -> None:
        said = [("", QUESTION), ("+12025550100", "No."), bob_is_asked("there"), ("+12025550100", "Sure.")]
        assert decided(*said, ("+12025550111", "No.")) == {"+12025550100": False, "+12025550111": False}

    def test_takes_nothing_that_was_said_to_something_else(self) -> None:
        assert decided(("", QUESTION), ("", "Are you still there?"), ("alice", "Yes.")) == {}
