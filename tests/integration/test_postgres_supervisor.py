"""The PostgreSQL that we run, on a cluster that was left in whatever state."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.roomlet.waiting import within
from tests.support.up import gated_postgres, is_alive, new_data_folder
from tests.support.waiting import until, wait_for

from rymi_server.entrypoints.up.database import KeptDatabase
from rymi_server.entrypoints.up.screen import Lines
from rymi_server.foundation.postgres_supervisor import PostgresFailed, PostgresServer


@pytest.fixture
def home() -> Iterator[Path]:
    folder = new_data_folder("rymi pg-")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(home: Path) -> Iterator[PostgresServer]:
    """One that runs, on a cluster of its own."""
    running = PostgresServer(home, settings=["fsync=off"])
    running.start()
    yield running
    running.stop()


@pytest.fixture
def gate(home: Path) -> Path:
    return home / "gate"


@pytest.fixture
def slow(home: Path, gate: Path) -> Iterator[PostgresServer]:
    """One that begins when there is a gate."""
    running = PostgresServer(home, gated_postgres(home / "gated", gate), settings=["fsync=off"])
    yield running
    running.stop()


def open_up(gate: Path) -> None:
    gate.touch()


def lock_of(server: PostgresServer) -> Path:
    return server.cluster / "postmaster.pid"


def answers(server: PostgresServer) -> bool:
    with psycopg.connect(server.url) as connection:
        return connection.execute("select 1").fetchone() == (1,)


class TestAServerThatTakesLong:
    def test_is_ready_when_it_says_so_and_failed_when_it_has_ended(self, slow: PostgresServer, gate: Path) -> None:
        slow.launch()
        assert not slow.is_ready()
        open_up(gate)
        wait_for("it to be ready", slow.is_ready)
        assert answers(slow)
        assert slow.pid
        os.kill(slow.pid, signal.SIGKILL)
        slow.wait()
        with pytest.raises(PostgresFailed, match=r"PostgreSQL did not start. Its log, .* ends: "):
            slow.is_ready()

    async def test_is_waited_for_with_an_ear_for_whoever_does_not_want_to(
        self, slow: PostgresServer, gate: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        kept = KeptDatabase(slow, Lines())
        starting = asyncio.create_task(kept.start())
        said = ""

        async def tells_of_it() -> bool:
            nonlocal said
            said += capsys.readouterr().out
            return "postgres   starting   recovers: " in said

        await until("it to say that it recovers", tells_of_it)
        assert not starting.done()
        open_up(gate)
        await within("it is ready", starting)
        assert answers(slow)
        assert capsys.readouterr().out.splitlines()[-1].startswith("postgres   ready")


class TestALockThatAPowerCutLeft:
    def test_with_the_number_of_another_postgresql_leaves_that_alone(
        self, postgres: PostgresServer, server: PostgresServer
    ) -> None:
        """It runs as the same account, so that PostgreSQL itself takes it for the cluster's own."""
        lock = lock_of(server)
        left = lock.read_text().splitlines()
        server.stop()
        self._leave(lock, "\n".join([str(postgres.pid), *left[1:]]) + "\n", like=server.cluster)
        server.start()
        assert answers(server)
        assert answers(postgres)

    @pytest.mark.parametrize("left", ["", "\0" * 60, "\n"], ids=["empty", "zeros", "blank"])
    def test_without_a_number_is_no_lock(self, server: PostgresServer, left: str) -> None:
        server.stop()
        self._leave(lock_of(server), left, like=server.cluster)
        server.start()
        assert answers(server)

    @staticmethod
    def _leave(lock: Path, text: str, like: Path) -> None:
        lock.write_text(text)
        lock.chmod(0o600)
        os.chown(lock, like.stat().st_uid, like.stat().st_gid)


class TestAServerThatOutlivedItsParent:
    def test_is_stopped_and_followed(self, server: PostgresServer) -> None:
        """Here its parent still lives, and has nothing to do with it any more."""
        orphan = server.pid
        assert orphan
        next_one = PostgresServer(server.home, settings=["fsync=off"])
        next_one.start()
        assert not is_alive(orphan)
        assert answers(next_one)
        next_one.stop()
