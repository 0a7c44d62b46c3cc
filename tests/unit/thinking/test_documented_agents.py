"""Agents and conversations that the documentation shows are what the server takes and holds."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.thinking.promises import answer

from rymi_server.http.v1.agent_bodies import NewAgentBody
from rymi_server.runtime.thinking.playbook_responder import PlaybookResponder
from rymi_server.runtime.thinking.replies import EndCall, Words

DOCS = Path(__file__).parents[3] / "docs"
PAGES = [DOCS / "reference" / "playbooks.md", DOCS / "guides" / "writing-an-agent.md"]
BLOCK = re.compile(r"```(json|conversation)\n(.*?)```", re.DOTALL)
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def agents(page: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for kind, text in BLOCK.findall(page.read_text()) if kind == "json"]


def conversations(page: Path) -> list[tuple[dict[str, Any], list[str]]]:
    """Each conversation with the agent that stands before it on the page."""
    found, agent = [], {}
    for kind, text in BLOCK.findall(page.read_text()):
        if kind == "json":
            agent = json.loads(text)
        else:
            found.append((agent, text.strip().splitlines()))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
class TestThePage:
    def test_shows_agents_that_are_taken(self, page: Path) -> None:
        for agent in agents(page):
            assert NewAgentBody.model_validate_json(json.dumps(agent)).said()["name"] == agent["name"]

    async def test_shows_conversations_as_they_are_held(self, page: Path) -> None:
        for agent, lines in conversations(page):
            responder = PlaybookResponder.for_agent(agent, {}, now=lambda: MONDAY)
            held = [f"Agent: {responder.opener}"]
            for line in lines:
                speaker, _, said = line.partition(": ")
                if speaker == "Caller":
                    steps = await answer(responder, said)
                    words = [step.text for step in steps if isinstance(step, Words)]
                    words += [step.farewell for step in steps if isinstance(step, EndCall)]
                    held += [line, f"Agent: {' '.join(words)}"]
            assert held == lines
