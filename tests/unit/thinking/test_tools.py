"""What an agent may do besides talking: `runtime/thinking/tools.py`, and a playbook that asks a tool."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.thinking.promises import answer, words

from rymi_server.runtime.thinking.playbook_responder import PlaybookResponder
from rymi_server.runtime.thinking.replies import EndCall, HandOff, UseTool, Words
from rymi_server.runtime.thinking.tools import (
    ELSEWHERE,
    Outcome,
    Tool,
    WrongBinding,
    hand_off_of,
    refuse_wrong,
    step_for,
    tools_of,
)

ABOUT: dict[str, Any] = {
    "name": "find_order",
    "description": "Finds an order by its number.",
    "url": "https://shop.example.com/orders",
    "method": "GET",
    "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
}
WEBHOOK: dict[str, Any] = {"tool_id": "call_webhook", "timeout_ms": 2_000, "provider_settings": ABOUT}
HUMAN = {"tool_id": "handoff_to_human", "provider_settings": {"number": "+12025550100"}}
SHOP: dict[str, Any] = {
    "tools": [WEBHOOK],
    "playbook": {
        "opener": "Hello, this is the shop.",
        "qualificationFlow": [{"question": "What is your order number?", "slotName": "order", "type": "digits"}],
        "scripts": [
            {
                "title": "The state of an order",
                "when": "The caller asks where their order is",
                "examples": ["where is my order", "has my parcel been shipped"],
                "tool": "find_order",
                "content": "Your order {{order}} is {{result.state}}{{result.unknown}}.",
            }
        ],
    },
}


class Shop:
    """Somebody else's server, as far as a playbook sees it."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def run(self, tool: Tool, arguments: Mapping[str, Any]) -> Outcome:
        self.asked.append((tool.name, dict(arguments)))
        return self.outcome


def shop(executor: Shop | None, **more: Any) -> PlaybookResponder:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return PlaybookResponder.for_agent({**SHOP, **more}, {}, now=lambda: now, executor=executor)


class TestToolsOf:
    def test_every_agent_can_end_the_call_and_be_told_to_stop_calling(self) -> None:
        assert [tool.name for tool in tools_of({}).available] == ["end_call", "opt_out"]

    def test_has_what_the_agent_binds(self) -> None:
        offered = tools_of({"tools": [WEBHOOK, HUMAN]})
        found = offered.named("find_order")
        assert found is not None
        assert found.http is not None
        assert found.http.timeout_ms == 2_000
        assert not found.writes
        assert hand_off_of({"tools": [HUMAN]}) == (True, "+12025550100")
        assert hand_off_of({}) == (False, None)

    @pytest.mark.parametrize(
        ("binding", "reason"),
        [
            ({**WEBHOOK, "enabled": False}, "agent_tool_disabled"),
            ({"tool_id": "create_calendar_event", "credential_ref": None}, "missing_credential"),
            ({"tool_id": "create_calendar_event", "credential_ref": "c"}, "provider_not_configured"),
            ({"tool_id": "launch_rocket"}, "not_supported_in_runtime"),
            ({"tool_id": "call_webhook"}, "policy_blocked"),
        ],
    )
    def test_says_why_a_tool_is_not_there(self, binding: dict[str, Any], reason: str) -> None:
        [unavailable] = tools_of({"tools": [binding]}).unavailable
        assert unavailable.reason == reason

    @pytest.mark.parametrize("tools", [None, 3, "x", [None, 3, "x"], {"a": 1}])
    def test_is_not_upset_by_what_it_cannot_read(self, tools: Any) -> None:
        assert len(tools_of({"tools": tools}).available) == 2


class TestRefuseWrong:
    @pytest.mark.parametrize("binding", [WEBHOOK, HUMAN, *({"tool_id": name} for name in ELSEWHERE)])
    def test_takes_what_can_be_used(self, binding: dict[str, Any]) -> None:
        refuse_wrong(binding)

    @pytest.mark.parametrize(
        "change",
        [
            {"url": "http://shop.example.com"},
            {"url": "https://127.0.0.1/"},
            {"url": "https://169.254.169.254/latest"},
            {"url": "https://shop.internal/"},
            {"url": "https://user:pw@shop.example.com/"},
            {"url": ""},
            {"method": "TRACE"},
            {"name": "find order"},
            {"name": "end_call"},
            {"description": ""},
            {"headers": {"Host": "x"}},
            {"headers": {"X": "a\r\nY: b"}},
            {"headers": {"X\n": "a"}},
            {"headers": {"X": "{{secrets.KEY}}"}},
            {"headers": {"X": 3}},
            {"headers": ["X"]},
            {"parameters": {"type": "string"}},
            {"parameters": {"$ref": "http://evil.example.com/"}},
            {"parameters": {"type": "nothing"}},
        ],
        ids=repr,
    )
    def test_refuses_a_webhook_that_never_could(self, change: dict[str, Any]) -> None:
        with pytest.raises(WrongBinding):
            refuse_wrong({**WEBHOOK, "provider_settings": {**ABOUT, **change}})


class TestStepFor:
    def test_turns_what_a_model_wants_into_what_a_call_does(self) -> None:
        offered = tools_of({"tools": [HUMAN]})
        steps = [
            step_for(tool, {"reason": "done", "farewell": "Bye.", "briefing": "Angry."}) for tool in offered.available
        ]
        assert steps == [EndCall("done", "Bye."), None, HandOff("Angry.", "+12025550100")]

    def test_leaves_http_tools_to_the_executor(self) -> None:
        tool = tools_of({"tools": [WEBHOOK]}).named("find_order")
        assert tool is not None
        assert step_for(tool, {}) is None


class TestAPlaybookThatAsksATool:
    async def test_says_what_the_tool_told(self) -> None:
        executor = Shop(Outcome(True, {"state": "on its way"}))
        responder = shop(executor)
        for line in ("hello", "my order number is one two three four", "yes"):
            await words(responder, line)
        said = await words(responder, "where is my order")
        assert "One moment, please. Your order one two three four is on its way." in said
        assert executor.asked == [("find_order", {"order": "1234"})]
        assert "on its way" in await words(responder, "could you repeat that")

    async def test_says_that_it_could_not_be_found_out(self) -> None:
        said = await words(shop(Shop(Outcome(False, "it answered 500"))), "where is my order")
        assert "cannot look that up" in said
        assert "result" not in said

    async def test_lets_no_tool_say_what_the_agent_must_not(self) -> None:
        executor = Shop(Outcome(True, {"state": "here, with guaranteed returns"}))
        responder = shop(executor, advanced={"prohibitedClaims": ["guaranteed returns"]})
        assert "guaranteed" not in await words(responder, "where is my order")

    async def test_leaves_the_step_to_the_session_without_an_executor(self) -> None:
        steps = await answer(shop(None), "where is my order")
        assert isinstance(steps[0], UseTool)
        assert isinstance(steps[1], Words)
