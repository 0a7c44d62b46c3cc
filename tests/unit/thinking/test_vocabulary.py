"""What ears are told of an agent's settings."""

from typing import Any

import pytest

from rymi_server.runtime.thinking.vocabulary import vocabulary_of


class TestHowWordsAreWritten:
    @pytest.mark.parametrize("value", [True, False])
    def test_is_what_the_author_says(self, value: bool) -> None:
        advanced = {"stt_numeral_formatting": value, "stt_profanity_filter": not value}
        told = vocabulary_of({"advanced": advanced})
        assert (told.numerals, told.masks_profanity) == (value, not value)

    @pytest.mark.parametrize("agent", [{}, {"advanced": None}, {"advanced": {"stt_numeral_formatting": "yes"}}])
    def test_is_left_to_the_engine_where_nothing_is_said(self, agent: dict[str, Any]) -> None:
        told = vocabulary_of(agent)
        assert (told.numerals, told.masks_profanity) == (None, None)
