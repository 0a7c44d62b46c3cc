"""PostgreSQL: the tables' one registry, connections, and transactions.

Packages declare their tables against `metadata` and take a `Transaction` where they read or write. Only the edge of a
request or of a job opens one.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from rymi_server.foundation.errors import Unavailable

metadata = sa.MetaData()

Transaction: TypeAlias = AsyncConnection


class DatabaseUnreachable(Unavailable):
    status, code = 503, "database_unreachable"

    def __init__(self) -> None:
        super().__init__("The database cannot be reached right now. Nothing was changed; try again.", retryable=True)


class Database:
    """A pool of connections to one PostgreSQL."""

    def __init__(self, url: str, *, connections: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(
            for_sqlalchemy(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=10,
            # A connection that died while idle is found before it is used, not by a request.
            pool_pre_ping=False,
            pool_reset_on_return=None,
            # Errors would quote what people sent us, and end in the logs.
            hide_parameters=True,
        )
        # Many rows in one INSERT, which is sent once and fires a trigger once.
        self.engine.dialect.use_insertmanyvalues_wo_returning = True
        # The same pool; a connection goes back to it as it was.
        self._autocommitting = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits at the end, or nothing happened."""
        async with self._connection(self.engine) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def single_statements(self) -> AsyncIterator[Transaction]:
        """Each statement is a transaction of its own, which saves asking for the beginning and the end of one."""
        async with self._connection(self._autocommitting) as connection:
            yield connection

    @asynccontextmanager
    async def _connection(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        try:
            connection = await engine.connect()
        except (sa.exc.OperationalError, sa.exc.TimeoutError, OSError) as error:
            raise DatabaseUnreachable from error
        try:
            yield connection
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise DatabaseUnreachable from error
            raise
        finally:
            await connection.close()

    async def close(self) -> None:
        await self.engine.dispose()


async def insert(tx: Transaction, into: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows`. One row alone is sent as a plain statement, which is cheaper than a list of one."""
    if rows:
        await tx.execute(_insert(into), rows if len(rows) > 1 else rows[0])


@cache
def _insert(into: sa.Table) -> sa.Insert:
    """Made once a table: a statement remembers how it was compiled. Nobody asks for the keys that it makes."""
    return sa.insert(into).inline()


@asynccontextmanager
async def unanswered(tx: Transaction) -> AsyncIterator[None]:
    """Inside, statements are sent without waiting for one another.

    For writes whose results nobody looks at. What goes wrong with one of them is raised at the end.
    """
    connection = (await tx.get_raw_connection()).driver_connection
    assert connection is not None
    async with connection.pipeline():
        yield


def for_sqlalchemy(url: str) -> str:
    """`url` naming our driver. Operators write `postgresql://…`, as every tool does."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def for_libpq(url: str) -> str:
    """`url` as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
