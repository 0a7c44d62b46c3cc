"""One prompt out of a description: `runtime/thinking/prompts.py`, `templates.py`, `variables.py`."""

from typing import Any

import pytest

from rymi_server.entrypoints.up.demo import RECEPTIONIST
from rymi_server.runtime.thinking.prompts import compile_prompt
from rymi_server.runtime.thinking.templates import fill, fill_all
from rymi_server.runtime.thinking.variables import values_of


class TestCompilePrompt:
    def test_says_everything_that_the_agent_is_described_by(self) -> None:
        prompt = compile_prompt(RECEPTIONIST, {}).text
        for said in (
            "Mia",
            "Harbour Dental",
            "Which day suits you",
            "too expensive",
            "parking",
            "Wonderful, we look",
            "call back",
        ):
            assert said in prompt

    def test_keeps_the_places_of_the_conversations_own_slots(self) -> None:
        compiled = compile_prompt(RECEPTIONIST, {})
        assert "{{reason}}" in compiled.text
        assert compiled.missing == ()

    def test_takes_a_raw_prompt_word_for_word(self) -> None:
        agent = {
            "system_prompt": "You are {{who}}.\n\n  Stay. ",
            "advanced": {"prompt_mode": "raw", "offLimitsTopics": ["x"]},
        }
        assert compile_prompt(agent, {"who": "Bo"}).text == "You are Bo.\n\n  Stay. "

    def test_puts_a_written_prompt_among_the_sections(self) -> None:
        assert (
            "# Instructions\nBe kind to {{name}}."
            in compile_prompt({"system_prompt": "Be kind to {{name}}."}, {}, keep_unknown=True).text
        )

    def test_tells_what_is_never_to_be_said(self) -> None:
        advanced = {"offLimitsTopics": ["politics"], "prohibitedClaims": "we are the best\nno risk"}
        prompt = compile_prompt({"advanced": advanced}, {}).text
        assert "Never talk about: politics" in prompt
        assert "Never claim, suggest or imply: no risk" in prompt

    def test_reports_what_has_no_value(self) -> None:
        compiled = compile_prompt({"system_prompt": "Hello {{first}} {{last}}!"}, {"first": "Ann"})
        assert "Hello Ann!" in compiled.text
        assert compiled.missing == ("last",)

    @pytest.mark.parametrize(
        "agent",
        [
            {},
            {"persona": "x", "playbook": [], "advanced": 3, "system_prompt": 7},
            {
                "persona": {"knowledgeBase": [1, None], "callerPersonas": [None, "x"]},
                "playbook": {"scripts": {}, "opener": 1},
            },
        ],
    )
    def test_is_not_upset_by_what_it_cannot_read(self, agent: dict[str, Any]) -> None:
        assert "You are a voice assistant." in compile_prompt(agent, {}).text


class TestTemplates:
    def test_never_reads_a_value_as_a_template(self) -> None:
        assert fill("{{a}}", {"a": "{{b}}", "b": "secret"}).text == "{{b}}"

    def test_closes_the_gap_where_a_value_is_missing(self) -> None:
        filled = fill("Hello {{name}}, how are you?", {})
        assert filled.text == "Hello, how are you?"
        assert filled.missing == ("name",)

    def test_writes_values_as_they_are_said(self) -> None:
        assert fill("{{a}} {{b}} {{c}} {{ d }}", {"a": True, "b": 3.0, "c": ["x", "y"], "d": 0}).text == "yes 3 x, y 0"

    def test_fills_what_is_deep_inside(self) -> None:
        assert fill_all({"a": ["{{x}}", 1]}, {"x": "y"}) == ({"a": ["y", 1]}, ())


class TestVariables:
    DECLARED = [
        {"key": "age", "type": "number", "required": True},
        {"key": "plan", "type": "enum", "enumValues": ["free", "pro"], "default": "free"},
        {"key": "vip", "type": "boolean"},
        {"key": "city", "metadataKey": "town", "required": True},
    ]

    def test_have_their_types(self) -> None:
        values = values_of(self.DECLARED, {"age": "41", "plan": "gold", "vip": "yes", "extra": 1}, {"town": "Graz"})
        assert values.by_name == {"age": 41, "plan": "free", "vip": True, "city": "Graz", "extra": 1}
        assert values.missing == ()

    @pytest.mark.parametrize("value", ["forty", True, [], {}, None, ""])
    def test_that_do_not_fit_are_missing(self, value: Any) -> None:
        assert "age" in values_of(self.DECLARED, {"age": value}).missing
