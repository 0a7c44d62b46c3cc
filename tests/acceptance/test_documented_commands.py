"""The curl lines of the README and of the guide to a first call, and the commands for operators, work as printed."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import httpx
import pytest
from tests.support.up import ROOT, Up

PAGES = [ROOT / "README.md", ROOT / "docs" / "guides" / "first-call.md"]
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NEXT = "---- next ----"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
class TestThePage:
    def test_can_be_typed_from_top_to_bottom(self, up: Up, page: Path) -> None:
        """Only the three variables are set, the way the page tells."""
        typed = f"\necho '{_NEXT}'\n".join(_SHELL.findall(page.read_text()))
        environment = {**up.environment, "RYMI_URL": up.url, "RYMI_KEY": up.key(), "RYMI_AGENT": up.agent()}
        done = subprocess.run(["bash", "-eu", "-c", typed], env=environment, capture_output=True, text=True, check=True)
        answers = [json.loads(answer) for answer in done.stdout.split(_NEXT) if answer.strip()]
        assert answers
        assert [answer for answer in answers if "error" in answer] == []


RUNNING = ROOT / "docs" / "guides" / "running.md"
_COMMANDS = re.compile(r"^rymi .+$", re.MULTILINE)


class TestTheGuideToRunning:
    def test_has_commands_that_work_in_the_order_in_which_they_are_printed(self, up: Up) -> None:
        """Only the agent that a talk link is for is made in between, with the key that has just been printed."""
        commands = [shlex.split(line)[1:] for line in _COMMANDS.findall(RUNNING.read_text())]
        assert ["keys", "create"] in [words[:2] for words in commands]
        for words in commands:
            done = up.command(*words)
            assert done.returncode == 0, (words, done.stdout, done.stderr)
            if words[:2] == ["keys", "create"]:
                _make_agent(up, re.findall(r"rymi_[0-9a-f]{64}", done.stdout)[0])


def _make_agent(up: Up, key: str) -> None:
    body = {"name": "Mia", "agent_role": "operator", "playbook": {"opener": "Hello."}}
    answer = httpx.post(f"{up.url}/v1/agents", json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    assert answer.status_code == 201, answer.text
