"""Who is cancelled while they use a connection, as a request is whose customer hangs up, leaves none behind.

And every connection reads instants in UTC.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import anyio
import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from rymi_server.foundation.database import Database, Transaction, driver_of

ONE = sa.text("select 1")
Use = Callable[[Transaction], Awaitable[object]]
Borrow = Callable[[], AbstractAsyncContextManager[Transaction]]


async def asks_sqlalchemy(tx: Transaction) -> object:
    return await tx.execute(sa.text("select pg_sleep(60)"))


async def asks_the_driver(tx: Transaction) -> object:
    return await driver_of(tx).execute("select pg_sleep(60)")


async def thinks(tx: Transaction) -> None:
    await tx.execute(ONE)
    await asyncio.sleep(60)


@pytest.fixture
async def one(database: Database) -> AsyncIterator[Database]:
    """With one connection, so that nothing goes on once it is lost."""
    small = Database(database.url, connections=1)
    yield small
    await small.close()


@pytest.mark.parametrize("way", ["transaction", "single_statements"])
@pytest.mark.parametrize("use", [asks_sqlalchemy, asks_the_driver, thinks])
class TestACancelledUse:
    async def test_gives_the_connection_back(self, one: Database, way: str, use: Use) -> None:
        """anyio, which requests run in, cancels again at each further wait."""
        borrow: Borrow = getattr(one, way)
        using = asyncio.Event()

        async def work() -> None:
            async with borrow() as tx:
                await tx.execute(ONE)
                using.set()
                await use(tx)

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await using.wait()
            await asyncio.sleep(0)
            group.cancel_scope.cancel()

        gc.collect()  # Complains of connections that nobody closed.
        async with borrow() as tx:
            assert (await tx.execute(ONE)).scalar_one() == 1
            assert driver_of(tx).autocommit is (way == "single_statements")
        async with one.transaction() as tx:
            assert not driver_of(tx).autocommit
        assert one.in_use == 0


@pytest.mark.parametrize("of_the_url", ["", "&options=-c%20timezone%3DAsia/Tokyo%20-c%20work_mem%3D5MB"])
class TestAConnection:
    async def test_is_in_utc_whatever_the_server_and_the_url_say(self, database_url: str, of_the_url: str) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            name = sql.Identifier(connection.info.dbname)
            connection.execute(sql.SQL("alter database {} set timezone to 'Asia/Kolkata'").format(name))
        theirs = Database(database_url + of_the_url, connections=1)
        with pytest.raises(sa.exc.DataError):
            async with theirs.transaction() as tx:
                await tx.execute(sa.text("select 1 / 0"))
        async with theirs.transaction() as tx:
            zone, now = (await tx.execute(sa.text("select current_setting('timezone'), now()"))).one()
        await theirs.close()
        assert (zone, now.utcoffset()) == ("UTC", timedelta())
