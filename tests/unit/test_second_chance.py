"""A test of real time that failed among others is tried by itself; nothing else is."""

import pytest
from tests.support.second_chance import AT_MOST, may_have_one

COUGH = "FAILED tests/agent_rooms/test_calls.py::TestAWebCall::test_goes_on - assert 13.7 < 3.0"
SUMMARY = (
    "======= rerun test summary info =======",
    "RERUN tests/agent_rooms/test_calls.py::TestAWebCall::test_goes_on",
    COUGH.partition(" - ")[0],
    "======= short test summary info =======",
    COUGH,
)


class TestASecondChance:
    def test_is_for_a_test_of_real_time(self) -> None:
        assert may_have_one(SUMMARY)

    @pytest.mark.parametrize(
        "line",
        [
            "FAILED tests/unit/test_sound.py::test_a_tone - assert 1 == 2",
            "ERROR tests/agent_rooms/test_calls.py::TestAWebCall::test_goes_on - RuntimeError",
            "ERROR tests/http/test_agents.py",
        ],
    )
    def test_is_not_for_what_would_fail_again(self, line: str) -> None:
        assert not may_have_one([*SUMMARY, line])

    def test_is_not_for_many(self) -> None:
        assert may_have_one([*SUMMARY, *(f"FAILED tests/sdks/test_web.py::test_{each}" for each in range(AT_MOST - 1))])
        assert not may_have_one(f"FAILED tests/sdks/test_web.py::test_{each}" for each in range(AT_MOST + 1))

    def test_is_not_for_a_run_that_ended_without_telling_what_failed(self) -> None:
        assert not may_have_one(SUMMARY[:2])
