"""What a person sees of `rymi up`."""

import io

import pytest
from rich.console import Console

from rymi_server.entrypoints.up.screen import Lines, Picture, State, Status


class TestLines:
    def test_are_one_a_change(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = Lines()
        for _ in range(2):
            lines.show("api", Status(State.READY, "http://localhost:8000", pid=7, starts=1))
        lines.show("api", Status(State.STOPPED))
        assert capsys.readouterr().out == "api        ready      http://localhost:8000\napi        stopped\n"


class TestThePicture:
    def test_shows_every_process_with_what_is_wrong_in_its_own_words(self) -> None:
        out = io.StringIO()
        picture = Picture(Console(file=out, force_terminal=True, width=100))
        picture.show("api", Status(State.READY, "http://localhost:8000", pid=7, starts=1))
        picture.show("worker", Status(State.NOT_READY, "database: [dead]", pid=8, starts=2))
        picture.close()
        assert "http://localhost:8000" in out.getvalue()
        assert "database: [dead]" in out.getvalue()

    def test_prints_a_long_line_as_one_line(self) -> None:
        out, line = io.StringIO(), "curl " + "x" * 300 + " [/v1] :smile:"
        picture = Picture(Console(file=out, force_terminal=True, width=80))
        picture.say(line)
        picture.close()
        assert line in out.getvalue()
