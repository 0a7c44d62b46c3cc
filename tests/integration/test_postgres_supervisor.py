"""The PostgreSQL that we run, on a cluster that was left in whatever state."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.support.up import is_alive, new_data_folder

from rymi_server.foundation.postgres_supervisor import PostgresServer


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


def lock_of(server: PostgresServer) -> Path:
    return server.cluster / "postmaster.pid"


def answers(server: PostgresServer) -> bool:
    with psycopg.connect(server.url) as connection:
        return connection.execute("select 1").fetchone() == (1,)


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
