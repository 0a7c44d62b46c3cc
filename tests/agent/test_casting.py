"""Who plays in a call, and what is told of what the call does not bring: `runtime/session/casting.py`."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.agent.holding import OneEar, briefing
from tests.agent.scripted import ScriptedEar

from rymi_server.runtime.session.casting import Casting
from rymi_server.runtime.session.denoising import Denoiser
from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.turn_taking.scores import installed_scores

SURE = {"advanced": {"stt_confidence_threshold": 0.6, "stt_background_denoising": True}}
AGENT = {"playbook": {"opener": "Hello {{first_name}}, this is Gus."}}


class TestCasting:
    @pytest.mark.parametrize(
        ("variables", "opener", "told"),
        [
            ({"first_name": "Ola"}, "Hello Ola, this is Gus.", []),
            ({}, "Hello, this is Gus.", ["The playbook names variables without a value: first_name."]),
        ],
    )
    async def test_tells_of_a_variable_that_the_call_does_not_bring(
        self, variables: dict[str, Any], opener: str, told: list[str]
    ) -> None:
        reports: list[str] = []
        tools = HttpTools()
        casting = Casting(OneEar(ScriptedEar([])), installed_scores(), tools, lambda: datetime.now(UTC))
        cast = casting.cast(briefing(agent=AGENT, variables=variables), reports.append)
        await tools.aclose()
        assert cast.mind.opener == opener
        assert reports == told

    @pytest.mark.parametrize(
        ("agent", "sure_from", "cleaned"),
        [(SURE, 0.6, True), (AGENT, 0.0, False), ({"advanced": {"stt_confidence_threshold": True}}, 0.0, False)],
    )
    async def test_says_what_of_a_line_is_believed(
        self, agent: dict[str, Any], sure_from: float, cleaned: bool
    ) -> None:
        tools = HttpTools()
        casting = Casting(OneEar(ScriptedEar([])), installed_scores(), tools, lambda: datetime.now(UTC))
        cast = casting.cast(briefing(agent=agent), lambda _: None)
        await tools.aclose()
        assert (cast.sure_from, isinstance(cast.new_cleaner(), Denoiser)) == (sure_from, cleaned)
