"""`rymi rooms` and `rymi carrierbox`: the programs that come with the server, asked for by its name."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(("command", "program"), [("rooms", "roomlet"), ("carrierbox", "carrierbox")])
class TestAProgramBesideTheServer:
    def test_is_run_with_all_that_was_said_to_it(self, command: str, program: str) -> None:
        said = _rymi(command, "--help")
        assert said.returncode == 0
        assert said.stdout.startswith(f"usage: {program}")

    def test_refuses_in_its_own_words(self, command: str, program: str) -> None:
        said = _rymi(command, "--no-such-flag")
        assert said.returncode == 2
        assert "--no-such-flag" in said.stderr


def _rymi(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rymi_server.entrypoints.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
