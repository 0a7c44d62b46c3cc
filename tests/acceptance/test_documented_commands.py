"""The curl lines of the README and of the guide to a first call work as they are printed."""

import json
import re
import subprocess
from pathlib import Path

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
