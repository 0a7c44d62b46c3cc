"""When processes that are to wait for a call make themselves ready."""

from dataclasses import dataclass, field

import pytest

from rymi_server.runtime.session.standby import CALM_AFTER_S, Standby


@dataclass
class Time:
    now: float = 1_000.0
    standby: Standby = field(init=False)

    def __post_init__(self) -> None:
        self.standby = Standby(lambda: self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def waited(self) -> float:
        began = self.now
        self.standby.wait(self.sleep)
        return self.now - began


@pytest.fixture
def time() -> Time:
    return Time()


class TestAProcessThatHasJustBeenBorn:
    def test_gets_ready_at_once_where_no_call_has_begun(self, time: Time) -> None:
        assert time.waited() == 0

    def test_lets_a_call_begin_first(self, time: Time) -> None:
        time.standby.is_ready()
        time.standby.call_comes()
        assert time.waited() == pytest.approx(CALM_AFTER_S, abs=0.1)

    def test_does_not_let_a_call_wait_for_it(self, time: Time) -> None:
        time.standby.is_ready()
        time.standby.call_comes()
        time.standby.call_comes()
        assert time.waited() == 0

    def test_hurries_as_soon_as_a_call_waits_for_it(self, time: Time) -> None:
        time.standby.is_ready()
        time.standby.call_comes()
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            time.sleep(seconds)
            slept.append(seconds)
            if len(slept) == 3:
                time.standby.call_comes()

        time.standby.wait(sleep)
        assert len(slept) == 3

    def test_gets_ready_at_last_where_calls_begin_all_the_time(self, time: Time) -> None:
        for _ in range(200):
            time.standby.is_ready()
        slept: list[float] = []

        def sleep(seconds: float) -> None:
            time.sleep(seconds)
            slept.append(seconds)
            time.standby.call_comes()

        time.standby.call_comes()
        time.standby.wait(sleep)
        assert CALM_AFTER_S < sum(slept) < 5
