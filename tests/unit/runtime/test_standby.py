"""When processes that are to wait for a call make themselves ready."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rymi_server.runtime.session.standby import CALM_AFTER_S, WAITS_AT_MOST_S, Standby


@dataclass
class Waiting:
    """A process that waits, on a clock that moves as it does."""

    folder: Path
    now: float = 1_000.0
    standby: Standby = field(init=False)

    def __post_init__(self) -> None:
        self.standby = Standby(self.folder, lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    def waited(self, pass_by: Callable[[float], None] | None = None) -> float:
        """It gets ready, and stays."""
        began = self.now
        with self.standby.getting_ready(pass_by or self.pass_by):
            return self.now - began


@pytest.fixture
def process(tmp_path: Path) -> Waiting:
    return Waiting(tmp_path)


@pytest.fixture
def after_a_call(process: Waiting) -> Waiting:
    """Two were ready, and one of them was just taken."""
    process.waited()
    process.waited()
    process.standby.call_comes()
    return process


class TestAProcessThatHasJustBeenBorn:
    def test_gets_ready_at_once_where_no_call_has_begun(self, process: Waiting) -> None:
        assert process.waited() == 0

    def test_lets_a_call_begin_first(self, after_a_call: Waiting) -> None:
        assert after_a_call.waited() == pytest.approx(CALM_AFTER_S, abs=0.1)

    def test_does_not_let_a_call_wait_for_it(self, after_a_call: Waiting) -> None:
        after_a_call.standby.call_comes()
        after_a_call.standby.call_comes()
        assert after_a_call.waited() == 0

    def test_hurries_as_soon_as_a_call_waits_for_it(self, after_a_call: Waiting) -> None:
        passed: list[float] = []

        def pass_by(seconds: float) -> None:
            after_a_call.pass_by(seconds)
            passed.append(seconds)
            if len(passed) == 3:
                after_a_call.standby.call_comes()
                after_a_call.standby.call_comes()

        after_a_call.waited(pass_by)
        assert len(passed) == 3

    def test_gets_ready_at_last_where_calls_begin_all_the_time(self, process: Waiting) -> None:
        for _ in range(200):
            process.waited()
        passed: list[float] = []

        def pass_by(seconds: float) -> None:
            process.pass_by(seconds)
            passed.append(seconds)
            process.standby.call_comes()

        process.standby.call_comes()
        process.waited(pass_by)
        assert sum(passed) == pytest.approx(WAITS_AT_MOST_S, abs=0.1)


class TestSeveralThatWereBornTogether:
    def test_get_ready_one_after_the_other(self, after_a_call: Waiting) -> None:
        with after_a_call.standby.getting_ready(after_a_call.pass_by):
            assert after_a_call.waited() == pytest.approx(WAITS_AT_MOST_S, abs=0.1)
        assert after_a_call.waited() == 0

    def test_get_ready_together_where_calls_wait_for_them(self, after_a_call: Waiting) -> None:
        with after_a_call.standby.getting_ready(after_a_call.pass_by):
            after_a_call.standby.call_comes()
            after_a_call.standby.call_comes()
            assert after_a_call.waited() == 0
