"""PostgreSQL: the tables' one registry, connections, and transactions.

Packages declare their tables against `metadata` and take a `Transaction` where they read or write. Only the edge of a
request or of a job opens one.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from rymi_server.foundation.errors import Unavailable

_CONNECTION_WITHIN_SECONDS = 10

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
        self.connections = connections
        # Whoever has waited longest for a connection is next; SQLAlchemy's pool lets newcomers go before.
        self._turns = asyncio.Semaphore(connections)
        # Open and free. To hand one back to SQLAlchemy's pool and take it out again costs as much as a statement.
        self._idle: list[AsyncConnection] = []
        self.in_use = 0
        self.engine: AsyncEngine = create_async_engine(
            for_sqlalchemy(url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_CONNECTION_WITHIN_SECONDS,
            # A connection that died while idle is found before it is used, not by a request.
            pool_pre_ping=False,
            pool_reset_on_return=None,
            # Errors would quote what people sent us, and end in the logs.
            hide_parameters=True,
        )
        sa.event.listen(self.engine.sync_engine, "connect", _keep_to_utc)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits at the end, or nothing happened."""
        async with self._connection() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def single_statements(self) -> AsyncIterator[Transaction]:
        """Each statement is a transaction of its own, which saves asking for the beginning and the end of one."""
        async with self._connection() as connection:
            # SQLAlchemy's own way of saying so takes as long as a statement.
            await driver_of(connection).set_autocommit(True)
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        connection = await self._connected()
        try:
            yield connection
        except BaseException as error:
            is_gone = _is_gone(connection, error)
            # A cancelled task may be cancelled at each further wait; what it holds is given back all the same.
            await _to_its_end(self._give_back(connection, error))
            if is_gone:
                raise DatabaseUnreachable from error
            raise
        else:
            await self._give_back(connection, None)

    async def _give_back(self, connection: AsyncConnection, error: BaseException | None) -> None:
        try:
            if error is not None and not connection.invalidated and not _is_clean(driver_of(connection)):
                await connection.invalidate(error)
            elif not connection.invalidated and driver_of(connection).autocommit:
                await driver_of(connection).set_autocommit(False)
            if connection.invalidated:
                # What ended this one may have ended the others, too; SQLAlchemy's pool knows.
                await self._close_idle()
            if connection.invalidated or connection.in_transaction():
                await connection.close()
            else:
                self._idle.append(connection)
        finally:
            self.in_use -= 1
            self._turns.release()

    async def _close_idle(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    async def _wait_for_turn(self) -> None:
        try:
            async with asyncio.timeout(_CONNECTION_WITHIN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise DatabaseUnreachable from error

    async def _connected(self) -> AsyncConnection:
        await self._wait_for_turn()
        self.in_use += 1
        if self._idle:
            return self._idle.pop()
        try:
            return await self.engine.connect()
        except BaseException as error:
            self.in_use -= 1
            self._turns.release()
            if isinstance(error, sa.exc.OperationalError | sa.exc.TimeoutError | OSError):
                raise DatabaseUnreachable from error
            raise

    async def close(self) -> None:
        await self._close_idle()
        await self.engine.dispose()


def _keep_to_utc(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Instants are read in the session's zone, which is the server's unless somebody says otherwise.

    Said by a statement: a pooler on the way may refuse options, and the URL may have its own.
    """
    connection.run_async(_say_utc)


async def _say_utc(driver: psycopg.AsyncConnection[Any]) -> None:
    """Outside a transaction, so that no rollback takes it back."""
    await driver.set_autocommit(True)
    await driver.execute("set time zone 'UTC'")
    await driver.set_autocommit(False)


def _is_clean(driver: psycopg.AsyncConnection[Any]) -> bool:
    """Whether somebody else can work on it."""
    return not driver.closed and driver.info.transaction_status is TransactionStatus.IDLE


def _is_gone(connection: AsyncConnection, error: BaseException) -> bool:
    """What SQLAlchemy says, or, of a statement that went past it, the driver."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated
    return isinstance(error, psycopg.OperationalError) and driver_of(connection).closed


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """However often the caller is cancelled meanwhile, who hears of it afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


def driver_of(tx: Transaction) -> psycopg.AsyncConnection[Any]:
    """The driver's own connection beneath."""
    assert tx.sync_connection is not None
    return cast(psycopg.AsyncConnection[Any], tx.sync_connection.connection.driver_connection)


def for_sqlalchemy(url: str) -> str:
    """`url` naming our driver. Operators write `postgresql://…`, as every tool does."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def for_libpq(url: str) -> str:
    """`url` as libpq reads it, to whom a plus is a plus."""
    place, mark, query = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False).partition("?")
    return place.replace(" ", "%20") + mark + query.replace("+", "%20")
