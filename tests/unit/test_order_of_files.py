"""Long files begin first, and a third test process is in nobody's way."""

import pytest
from tests.support.order_of_files import folder_of, is_further, next_file

# As pytest-xdist has them: those of the most tests first.
WAITING = (
    "tests/unit/runtime/test_hub.py",
    "tests/http/test_agents.py",
    "tests/integration/test_queue.py",
    "tests/agent/test_call.py",
    "tests/sdks/test_web.py",
    "tests/acceptance/test_kill.py",
)


def taken(*, further: bool) -> list[str]:
    """In which order one process would take them all."""
    left, found = list(WAITING), []
    while (chosen := next_file(left, further=further)) is not None:
        left.remove(chosen)
        found.append(chosen.split("/")[1])
    return found


class TestTheNextFile:
    def test_is_one_that_waits_for_real_time_while_there_is_any(self) -> None:
        assert taken(further=False) == ["sdks", "acceptance", "agent", "integration", "unit", "http"]

    def test_is_one_that_leaves_the_processor_to_the_others_for_a_further_process(self) -> None:
        assert taken(further=True) == ["agent"]

    def test_is_none_once_all_are_taken(self) -> None:
        assert next_file((), further=False) is None


class TestAProcess:
    @pytest.mark.parametrize(("name", "further"), [("gw0", False), ("gw1", False), ("gw2", True), ("gw11", True)])
    def test_beyond_the_second_is_a_further_one(self, name: str, further: bool) -> None:
        assert is_further(name) is further


class TestTheFolder:
    @pytest.mark.parametrize("path", ["tests/unit/a/test_b.py::TestC::test_d[x/y]", "./tests/unit/test_b.py"])
    def test_is_found_from_the_root_of_the_project(self, path: str) -> None:
        assert folder_of(path) == "unit"
