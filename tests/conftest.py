"""What every test may ask for: a database without anybody else's rows, or one of its very own.

One PostgreSQL runs for each test process, with the product's own supervisor.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from tests.support.asking import client_for
from tests.support.order_of_files import OF_REAL_TIME, ByNature
from tests.support.up import Up

from rymi_server.entrypoints.migrate import migrate
from rymi_server.foundation.database import Database
from rymi_server.foundation.postgres_supervisor import PostgresServer

# On a machine that others keep busy an engine may hear a word wrong or a process start too late; then a test of real
# time is run again, and the output says so. Who looks for the reason of such a failure sets RYMI_TEST_RERUNS=0.
_RERUNS = int(os.environ.get("RYMI_TEST_RERUNS", "1"))
# How long an example takes, or to think of one, says how busy the machine is.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")
# Of an installation, beside a test that failed.
_LINES_SHOWN = 60
_names = itertools.count()

_TABLES_WITH_ROWS = """
    select format('%I.%I', schemaname, tablename) from pg_tables
    where schemaname in ('public', 'bullmq') and tablename not in ('alembic_version', 'migration')
"""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByNature | None:
    """In the place of `--dist loadfile`."""
    return ByNature(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what the installation under test said last, which is gone with its folder afterwards."""
    report = yield
    if report.failed:
        for up in (each for each in item.funcargs.values() if isinstance(each, Up)):
            report.sections.append(("what `rymi up` printed last", _last_of(up.output)))
    return report


def _last_of(output: str) -> str:
    """Without the requests that went well: a test that waits for something asks for it all the time."""
    told = [line for line in output.splitlines() if '"event": "request"' not in line or '"level": "info"' not in line]
    return "\n".join(told[-_LINES_SHOWN:])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and item.path.relative_to(here).parts[0] in OF_REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=_RERUNS))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The embedded PostgreSQL, without waiting for disks."""
    # Under /tmp, because the path of a socket must stay short.
    home = Path(tempfile.mkdtemp(prefix="rymi-tests-", dir="/tmp"))
    home.chmod(0o755)
    # The same tests on another PostgreSQL: RYMI_POSTGRES_BIN=/usr/lib/postgresql/15/bin make test
    chosen = os.environ.get("RYMI_POSTGRES_BIN")
    quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    server = PostgresServer(home, binaries=Path(chosen) if chosen else None, settings=quick)
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
def database_url(postgres: PostgresServer, template_url: str) -> Iterator[str]:
    """A database of this test's own, for whoever changes its schema or stops its clients."""
    with _copy_of(template_url, postgres) as url:
        yield url


@pytest.fixture(scope="session")
async def shared_database(postgres: PostgresServer, template_url: str) -> AsyncIterator[Database]:
    """One database for all tests of this process that only need it to be empty. Ask for `database`."""
    with _copy_of(template_url, postgres) as url:
        database = Database(url)
        yield database
        await database.close()


@pytest.fixture
async def database(shared_database: Database) -> Database:
    """An empty database."""
    await _empty(shared_database.url)
    return shared_database


@pytest.fixture(scope="session")
async def shared_http(shared_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """The API on the shared database. Ask for `http`."""
    async with client_for(shared_database) as client:
        yield client


@pytest.fixture
def http(database: Database, shared_http: httpx.AsyncClient) -> httpx.AsyncClient:
    """The API on an empty database."""
    return shared_http


@contextmanager
def _copy_of(template_url: str, postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{next(_names)}"
    with psycopg.connect(postgres.url.replace("/rymi?", "/postgres?"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template rymi").format(sql.Identifier(name)))
        yield template_url.replace("/rymi?", f"/{name}?")
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


async def _empty(url: str) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        tables = [row[0] for row in await (await connection.execute(_TABLES_WITH_ROWS)).fetchall()]
        # Rows go without triggers and foreign keys having a say, so their order does not matter.
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("; ".join(f"delete from {table}" for table in tables))  # type: ignore[arg-type]
