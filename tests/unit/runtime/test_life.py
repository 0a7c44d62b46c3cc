"""Runs that live, leave and die on one machine, and who tells of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.roomlet.waiting import eventually

from rymi_server.runtime.reporting.deathwatch import Deathwatch, Tell
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.life import SUFFIX, LeftBehind, Life, left_behind, living
from rymi_server.runtime.reporting.reporter import Undelivered

ADDRESS = Address("http://nowhere", "call", "token", "1")
# Lives until it is killed, and says when it lives. What it starts is a program of its own, as engines are.
ALIVE = """
import subprocess, sys, time
from pathlib import Path
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.life import Life
life = Life.begin(Path(sys.argv[1]), Address("http://nowhere", "call", "token", "1"))
engine = subprocess.Popen(["sleep", "60"])
print(engine.pid, flush=True)
time.sleep(60)
"""


@dataclass
class Process:
    """A run in a process of its own, and an engine that it has started."""

    process: "subprocess.Popen[str]"
    engine: int

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def a_process(folder: Path) -> Iterator[Process]:
    command = [sys.executable, "-c", ALIVE, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        run = Process(process, int(process.stdout.readline()))
        try:
            yield run
        finally:
            process.kill()
            os.kill(run.engine, signal.SIGKILL)


def files(folder: Path) -> list[Path]:
    return list(folder.glob(f"*{SUFFIX}*"))


class TestALife:
    def test_is_not_left_behind_while_it_lasts(self, tmp_path: Path) -> None:
        life = Life.begin(tmp_path, ADDRESS)
        assert list(left_behind(tmp_path)) == []
        life.end()
        assert files(tmp_path) == []

    def test_shows_the_token_to_nobody_else(self, tmp_path: Path) -> None:
        life = Life.begin(tmp_path, ADDRESS)
        assert life.path.stat().st_mode & 0o077 == 0
        life.end()

    def test_of_who_was_killed_is_found_by_one_and_says_where_to(self, tmp_path: Path) -> None:
        with a_process(tmp_path) as run:
            assert list(left_behind(tmp_path)) == []
            run.kill()
            # What it has started lives on, and does not hold its lock.
            os.kill(run.engine, 0)
            (life,) = left_behind(tmp_path)
            assert life.address == ADDRESS
            assert list(left_behind(tmp_path)) == [], "another one tells of it"
            life.let_go()
            (life,) = left_behind(tmp_path)
            life.end()
            assert files(tmp_path) == []

    def test_of_who_hangs_is_no_death(self, tmp_path: Path) -> None:
        with a_process(tmp_path) as run:
            run.process.send_signal(signal.SIGSTOP)
            assert list(left_behind(tmp_path)) == []

    def test_that_has_ended_while_somebody_opened_its_file_is_no_death(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        life, opened = Life.begin(tmp_path, ADDRESS), os.open

        def open_and_be_late(path: Path, flags: int) -> int:
            held = opened(path, flags)
            life.end()
            return held

        monkeypatch.setattr(os, "open", open_and_be_late)
        assert list(left_behind(tmp_path)) == []

    @pytest.mark.parametrize("text", ["", '{"api_url": "http', "[]", '{"api_url": "http://nowhere"}'])
    def test_that_the_disk_has_lost_is_cleared_away(self, text: str, tmp_path: Path) -> None:
        (tmp_path / f"call.1.7{SUFFIX}").write_text(text)
        assert list(left_behind(tmp_path)) == []
        assert files(tmp_path) == []


class TestLiving:
    async def test_leaves_nothing_behind_by_whatever_way_it_leaves(self, tmp_path: Path) -> None:
        async with living(tmp_path / "new", ADDRESS):
            assert len(files(tmp_path / "new")) == 1
        with pytest.raises(LookupError):
            async with living(tmp_path / "new", ADDRESS):
                raise LookupError
        assert files(tmp_path / "new") == []

    async def test_leaves_a_death_where_it_is_cut_short(self, tmp_path: Path) -> None:
        """So do job processes end whose worker was killed."""
        begun = asyncio.Event()

        async def live() -> None:
            async with living(tmp_path, ADDRESS):
                begun.set()
                await asyncio.Event().wait()

        run = asyncio.create_task(live())
        await begun.wait()
        run.cancel()
        await asyncio.wait([run])
        assert run.cancelled()
        assert [life.address for life in left_behind(tmp_path)] == [ADDRESS]

    async def test_leaves_a_death_where_a_call_is_left_behind(self, tmp_path: Path) -> None:
        with pytest.raises(LeftBehind):
            async with living(tmp_path, ADDRESS):
                raise LeftBehind("cut_short")
        assert [life.address for life in left_behind(tmp_path)] == [ADDRESS]

    async def test_goes_on_where_the_disk_is_full(self, tmp_path: Path) -> None:
        (tmp_path / "agent").write_text("no folder")
        held = False
        async with living(tmp_path / "agent", ADDRESS):
            held = True
        assert held


@dataclass
class FakeApi:
    """As far as it hears of deaths. `refuses` is None where it is away."""

    refuses: bool | None = False
    asked: int = 0
    told: list[Address] = field(default_factory=list)

    async def __call__(self, address: Address) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.refuses is not False:
            raise Undelivered("not now, or never", refused=bool(self.refuses))
        self.told.append(address)


@asynccontextmanager
async def watched(folder: Path, tell: Tell, watchers: int = 1) -> AsyncIterator[None]:
    watch = Deathwatch(folder, tell, looks_every_s=0.01, longest_wait_s=0.02).watch
    watching = [asyncio.create_task(watch()) for _ in range(watchers)]
    try:
        yield
    finally:
        for each in watching:
            each.cancel()
        await asyncio.wait(watching)
        assert all(each.cancelled() for each in watching)


def is_dead(folder: Path, address: Address = ADDRESS) -> None:
    Life.begin(folder, address).let_go()


def nothing_in(folder: Path) -> Callable[[], bool]:
    return lambda: not files(folder)


class TestADeathwatch:
    async def test_tells_of_a_death_once_however_many_watch(self, tmp_path: Path) -> None:
        api = FakeApi()
        with a_process(tmp_path) as run:
            async with watched(tmp_path, api, watchers=3):
                run.kill()
                await eventually("it is told and cleared away", nothing_in(tmp_path))
        assert api.told == [ADDRESS]

    async def test_tells_of_nobody_who_lives(self, tmp_path: Path) -> None:
        api, life = FakeApi(), Life.begin(tmp_path, replace(ADDRESS, run="2"))
        is_dead(tmp_path)
        async with watched(tmp_path, api):
            await eventually("the dead one is told", lambda: files(tmp_path) == [life.path])
        assert api.told == [ADDRESS]
        life.end()

    async def test_tells_until_the_api_has_heard(self, tmp_path: Path) -> None:
        api = FakeApi(refuses=None)
        is_dead(tmp_path)
        async with watched(tmp_path, api):
            await eventually("it is tried again", lambda: api.asked >= 3)
            assert len(files(tmp_path)) == 1
            api.refuses = False
            await eventually("it is cleared away", nothing_in(tmp_path))
        assert api.told == [ADDRESS]

    async def test_leaves_to_the_next_what_nobody_has_heard(self, tmp_path: Path) -> None:
        api = FakeApi(refuses=None)
        is_dead(tmp_path)
        async with watched(tmp_path, api):
            await eventually("it is tried", lambda: api.asked)
        api.refuses = False
        async with watched(tmp_path, api):
            await eventually("it is cleared away", nothing_in(tmp_path))
        assert api.told == [ADDRESS]

    async def test_is_not_held_up_by_an_api_that_does_not_answer(self, tmp_path: Path) -> None:
        api, another = FakeApi(), replace(ADDRESS, call_id="another")

        async def tell(address: Address) -> None:
            await (asyncio.Event().wait() if address == another else api(address))

        is_dead(tmp_path, another)
        async with watched(tmp_path, tell):
            is_dead(tmp_path)
            await eventually("the second is told", lambda: api.told == [ADDRESS])

    async def test_asks_no_more_where_it_is_refused(self, tmp_path: Path) -> None:
        api = FakeApi(refuses=True)
        is_dead(tmp_path)
        async with watched(tmp_path, api):
            await eventually("it is cleared away", nothing_in(tmp_path))
        assert (api.asked, api.told) == (1, [])
