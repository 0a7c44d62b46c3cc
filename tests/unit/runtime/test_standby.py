"""When processes that are to wait for a call make themselves ready."""

from dataclasses import dataclass, field

import pytest

from rymi_server.runtime.session.standby import CALM_AFTER_S, Standby


@dataclass
class Waiting:
    """A process that waits, on a clock that moves as it does."""

    now: float = 1_000.0
    standby: Standby = field(init=False)

    def __post_init__(self) -> None:
        self.standby = Standby(lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds

    def waited(self) -> float:
        began = self.now
        self.standby.wait(self.pass_by)
        return self.now - began


@pytest.fixture
def process() -> Waiting:
    return Waiting()


class TestAProcessThatHasJustBeenBorn:
    def test_gets_ready_at_once_where_no_call_has_begun(self, process: Waiting) -> None:
        assert process.waited() == 0

    def test_lets_a_call_begin_first(self, process: Waiting) -> None:
        process.standby.is_ready()
        process.standby.call_comes()
        assert process.waited() == pytest.approx(CALM_AFTER_S, abs=0.1)

    def test_does_not_let_a_call_wait_for_it(self, process: Waiting) -> None:
        process.standby.is_ready()
        process.standby.call_comes()
        process.standby.call_comes()
        assert process.waited() == 0

    def test_hurries_as_soon_as_a_call_waits_for_it(self, process: Waiting) -> None:
        process.standby.is_ready()
        process.standby.call_comes()
        passed: list[float] = []

        def pass_by(seconds: float) -> None:
            process.pass_by(seconds)
            passed.append(seconds)
            if len(passed) == 3:
                process.standby.call_comes()

        process.standby.wait(pass_by)
        assert len(passed) == 3

    def test_gets_ready_at_last_where_calls_begin_all_the_time(self, process: Waiting) -> None:
        for _ in range(200):
            process.standby.is_ready()
        passed: list[float] = []

        def pass_by(seconds: float) -> None:
            process.pass_by(seconds)
            passed.append(seconds)
            process.standby.call_comes()

        process.standby.call_comes()
        process.standby.wait(pass_by)
        assert CALM_AFTER_S < sum(passed) < 5
