"""What every test may ask for: a database of its own, the API on it, a tenant with a key.

One PostgreSQL runs for each test process, with the product's own supervisor. Each test that asks for a database gets a
fresh copy of a migrated template, so tests share nothing.
"""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from rymi_server.entrypoints.migrate import migrate
from rymi_server.foundation.database import Database
from rymi_server.foundation.postgres_supervisor import PostgresServer

_names = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The embedded PostgreSQL, without waiting for disks."""
    home = Path(tempfile.mkdtemp(prefix="rymi-tests-", dir="/tmp"))
    home.chmod(0o755)
    server = PostgresServer(home, settings=["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home)


@pytest.fixture(scope="session")
async def template_url(postgres: PostgresServer) -> str:
    """A migrated database, to be copied and never changed."""
    await migrate(postgres.url)
    return postgres.url


@pytest.fixture
async def database_url(postgres: PostgresServer, template_url: str) -> AsyncIterator[str]:
    """A database of this test's own."""
    name = f"test_{next(_names)}"
    admin = postgres.url.replace("/rymi?", "/postgres?")
    async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
        await connection.execute(
            sql.SQL("create database {} template rymi strategy file_copy").format(sql.Identifier(name))
        )
        yield template_url.replace("/rymi?", f"/{name}?")
        await connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
