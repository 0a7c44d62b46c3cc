"""What is done after a call: `call_control/post_call_config.py`."""

from typing import Any

import pytest

from rymi_server.agents.errors import InvalidPostCall
from rymi_server.agents.post_call_config import refuse_invalid, resolve


class TestResolve:
    @pytest.mark.parametrize(
        ("agent", "call", "enabled"),
        [
            ({}, {}, False),
            ({"features": {"recording_enabled": True}}, {}, True),
            ({"features": {"recording_enabled": True}}, {"recording": {"enabled": False}}, False),
            ({"post_call": {"recording": {"enabled": True}}}, {}, True),
            ({"features": {"recording_enabled": True}, "post_call": {"recording": {"enabled": False}}}, {}, False),
            ({"features": {"recording_enabled": True}}, {"recording": None}, False),
        ],
    )
    def test_records_as_the_most_particular_one_says(
        self, agent: dict[str, Any], call: dict[str, Any], enabled: bool
    ) -> None:
        assert resolve(agent, call)["recording"]["enabled"] is enabled

    def test_lets_a_call_change_one_field_of_a_section(self) -> None:
        agent = {"post_call": {"summary": {"enabled": True, "prompt": "long"}}}
        assert resolve(agent, {"summary": {"prompt": "short"}})["summary"] == {"enabled": True, "prompt": "short"}

    def test_lets_a_call_take_a_section_back(self) -> None:
        agent = {"post_call": {"summary": {"enabled": True}, "evaluation": {"criteria": ["polite"]}}}
        resolved = resolve(agent, {"summary": None, "evaluation": None})
        assert (resolved["summary"], "evaluation" in resolved) == ({"enabled": False}, False)

    def test_keeps_rubric_under_its_other_name(self) -> None:
        assert resolve({}, {"evaluation": {"rubric": "Kind?"}})["evaluation"] == {"criteria": "Kind?"}

    def test_prefers_criteria_where_both_are_said(self) -> None:
        both = {"evaluation": {"rubric": "Kind?", "criteria": "Quick?"}}
        assert resolve({}, both)["evaluation"] == {"criteria": "Quick?"}

    def test_does_not_write_into_the_agent(self) -> None:
        agent = {"post_call": {"summary": {"enabled": True}}}
        resolve(agent, {"summary": {"enabled": False}})
        assert agent == {"post_call": {"summary": {"enabled": True}}}


class TestRefuseInvalid:
    @pytest.mark.parametrize(
        "schema",
        [
            {"type": "flavour"},
            {"properties": 5},
            {"$ref": "https://example.com/schema.json"},
            {"$ref": "file:///etc/passwd"},
            {"pattern": "("},
        ],
    )
    def test_refuses_a_schema_that_cannot_be_used(self, schema: dict[str, Any]) -> None:
        with pytest.raises(InvalidPostCall):
            refuse_invalid({"structured_extraction": {"json_schema": schema}})

    @pytest.mark.parametrize(
        "post_call",
        [
            {},
            {"structured_extraction": None},
            {"structured_extraction": {"json_schema": {"type": "object", "properties": {"a": {"type": "boolean"}}}}},
            {"structured_extraction": {"json_schema": {"$defs": {"x": {"type": "string"}}, "$ref": "#/$defs/x"}}},
        ],
    )
    def test_takes_any_other(self, post_call: dict[str, Any]) -> None:
        refuse_invalid(post_call)
