"""Processes that are forked where their code is loaded already: real ones, and real signals."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.roomlet.waiting import within
from tests.support.up import is_alive
from tests.support.waiting import until

from rymi_server.entrypoints.up.births import HAS_NURSERIES, Nurseries, Running

pytestmark = pytest.mark.skipif(not HAS_NURSERIES, reason="only Linux lets a forked process go on without `exec`")
NEWBORN = "tests.support.newborn"


@pytest.fixture
async def nurseries(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Nurseries]:
    monkeypatch.setenv("TAKEN", "from the parent")
    opened = Nurseries()
    yield opened
    opened.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


async def born(nurseries: Nurseries, log: Path, module: str = NEWBORN) -> Running:
    environment = {name: value for name, value in os.environ.items() if name != "TAKEN"} | {"GIVEN": "to it alone"}
    with log.open("wb") as output:
        return await nurseries.bear("newborn", module, environment, output)


async def said(log: Path) -> dict[str, Any]:
    await eventually("it to speak", lambda: text(log).endswith("\n"))
    found: dict[str, Any] = json.loads(text(log))
    return found


def text(file: Path) -> str:
    return file.read_text()


async def eventually(what: str, is_true: Callable[[], bool]) -> None:
    async def look() -> bool:
        return is_true()

    await until(what, look)


class TestWhoeverIsBorn:
    async def test_finds_its_code_loaded_and_is_otherwise_a_process_of_its_own(
        self, nurseries: Nurseries, log: Path
    ) -> None:
        child = await born(nurseries, log)
        told = await said(log)
        assert told["pid"] == told["session"] == child.pid
        assert told["loaded_by"] not in (child.pid, os.getpid())
        assert told["environment"] == {"GIVEN": "to it alone", "TAKEN": None}
        assert text(Path(f"/proc/{child.pid}/cmdline")).strip("\0") == "rymi newborn"

    async def test_ends_as_it_wants_to(self, nurseries: Nurseries, log: Path) -> None:
        child = await born(nurseries, log)
        await said(log)
        child.signal(signal.SIGUSR1)
        assert await within("the child ends", child.ended()) == 7
        assert child.exit_code == 7

    async def test_ends_by_the_signal_it_is_sent_and_leaves_its_siblings_alone(
        self, nurseries: Nurseries, log: Path, tmp_path: Path
    ) -> None:
        child, sibling = await born(nurseries, log), await born(nurseries, tmp_path / "other")
        child.signal(signal.SIGKILL)
        assert await within("the child ends", child.ended()) == -signal.SIGKILL
        assert sibling.exit_code is None
        assert is_alive(sibling.pid)

    async def test_says_in_its_own_log_that_its_module_cannot_be_loaded(self, nurseries: Nurseries, log: Path) -> None:
        child = await born(nurseries, log, "tests.support.nobody")
        assert await within("the child ends", child.ended()) == 1
        assert "No module named 'tests.support.nobody'" in text(log)


class TestTheNursery:
    @pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    async def test_is_deaf_to_whoever_asks_all_processes_to_stop_and_its_children_are_not(
        self, nurseries: Nurseries, log: Path, tmp_path: Path, asked: signal.Signals
    ) -> None:
        child = await born(nurseries, log)
        nursery = (await said(log))["loaded_by"]
        os.kill(nursery, asked)
        await born(nurseries, tmp_path / "other")
        sibling = await said(tmp_path / "other")
        assert (sibling["loaded_by"], sibling["stops_on_sigterm"]) == (nursery, True)
        assert child.exit_code is None

    async def test_takes_its_children_along_and_is_replaced(self, nurseries: Nurseries, log: Path) -> None:
        child = await born(nurseries, log)
        loaded_by = (await said(log))["loaded_by"]
        os.kill(loaded_by, signal.SIGKILL)
        assert await within("the child ends", child.ended()) == -signal.SIGKILL
        await eventually("the child to end", lambda: not is_alive(child.pid))
        again = await born(nurseries, log)
        assert (await said(log))["loaded_by"] != loaded_by
        assert again.exit_code is None

    async def test_that_dies_before_a_birth_leaves_nobody_waiting(self, nurseries: Nurseries, log: Path) -> None:
        await born(nurseries, log)
        nursery = (await said(log))["loaded_by"]
        os.kill(nursery, signal.SIGSTOP)
        bearing = asyncio.create_task(born(nurseries, log))
        await asyncio.sleep(0)
        os.kill(nursery, signal.SIGKILL)
        never = await within("nobody is born", bearing)
        assert (never.pid, never.exit_code) == (None, -signal.SIGKILL)

    async def test_ends_with_whoever_opened_it(self, nurseries: Nurseries, log: Path) -> None:
        child = await born(nurseries, log)
        loaded_by = (await said(log))["loaded_by"]
        nurseries.close()
        await eventually("both to end", lambda: not (is_alive(child.pid) or is_alive(loaded_by)))

    async def test_has_no_thread_that_a_fork_would_lose(self, nurseries: Nurseries, log: Path) -> None:
        await born(nurseries, log, "tests.support.newborn_of_everything")
        nursery = (await said(log))["loaded_by"]
        assert text(Path(f"/proc/{nursery}/status")).split("Threads:")[1].split()[0] == "1"
