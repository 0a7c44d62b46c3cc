"""Whose wish it is not to be called again."""

import pytest

from rymi_server.runtime.session.opting_out import whose_wish

NAMES = ["alice", "bob", "[Zoe]"]


class TestWhoseWish:
    def test_is_that_of_who_is_alone_whatever_a_model_says(self) -> None:
        assert whose_wish("the caller", "Never call me again.", ["alice"]) == "alice"

    @pytest.mark.parametrize("named", ["alice", "[alice]", "Alice"])
    def test_is_that_of_who_is_named(self, named: str) -> None:
        assert whose_wish(named, "[alice] Never call me again. [bob] Okay.", NAMES) == "alice"

    def test_knows_people_by_what_they_are_called_in_a_turn(self) -> None:
        assert whose_wish("Zoe", "[bob] Okay.", NAMES) == "[Zoe]"

    def test_is_that_of_who_alone_speaks_where_nobody_is_named(self) -> None:
        assert whose_wish("", "[alice] Never call me again. [alice] Never.", NAMES) == "alice"

    @pytest.mark.parametrize(
        ("named", "turn", "names"),
        [
            ("", "[alice] Never call me again. [bob] Okay.", NAMES),
            ("", "Never call me again.", NAMES),
            ("", "", NAMES),
            ("the caller", "[alice] Never call me again.", NAMES),
            ("ANN", "[Ann] Never call me again.", ["Ann", "ann"]),
            ("", "Never call me again.", []),
        ],
    )
    def test_is_not_guessed(self, named: str, turn: str, names: list[str]) -> None:
        assert whose_wish(named, turn, names) is None
