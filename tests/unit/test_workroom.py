"""The folder in which a recording is made goes with its work, and with its worker's death at the next start."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from rymi_server.recordings.workroom import clear_abandoned, workroom

_WORKS_UNTIL_KILLED = """
from rymi_server.recordings.workroom import workroom
with workroom() as folder:
    (folder / "stereo.wav").write_bytes(b"somebody's voice")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nobody else works."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


class TestAWorkroom:
    def test_is_gone_when_the_work_is_done(self, machine: Path) -> None:
        with workroom() as folder:
            (folder / "stereo.wav").write_bytes(b"x")
        assert list(machine.iterdir()) == []

    def test_is_left_alone_while_somebody_works_in_it(self, machine: Path) -> None:
        with workroom() as folder:
            assert clear_abandoned() == 0
            assert folder.parent == machine
            assert folder.is_dir()

    def test_of_a_killed_worker_is_cleared_away(self, machine: Path) -> None:
        working = subprocess.Popen(
            [sys.executable, "-c", _WORKS_UNTIL_KILLED],
            env={"TMPDIR": str(machine)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert working.stdout is not None
        left = Path(working.stdout.readline().decode().strip())
        assert clear_abandoned() == 0
        working.send_signal(signal.SIGKILL)
        working.communicate()
        assert (left / "stereo.wav").is_file()
        assert clear_abandoned() == 1
        assert list(machine.iterdir()) == []
