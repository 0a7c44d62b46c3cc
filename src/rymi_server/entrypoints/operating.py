"""How a command reaches its installation: the one in DATABASE_URL, else the one that `rymi up` runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from rymi_server.entrypoints.secrets_file import secrets_of
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.foundation.database import Database, DatabaseUnreachable, Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.postgres_supervisor import PostgresServer

Result = TypeVar("Result")


class NoDatabase(Unavailable):
    code = "no_database"

    def __init__(self, url: str | None, data_folder: Path) -> None:
        where = (
            "The database in DATABASE_URL does not answer."
            if url
            else f"DATABASE_URL is not set, and no `rymi up` runs on {data_folder}. Start it, or set DATABASE_URL."
        )
        super().__init__(where, retryable=False)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a command works on."""

    settings: Settings
    database_url: str

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        database = Database(self.database_url, connections=1)
        try:
            async with database.transaction() as tx:
                yield tx
        except DatabaseUnreachable as error:
            raise NoDatabase(self.settings.database_url, self.settings.data_folder) from error
        finally:
            await database.close()


async def refuse_unreachable(here: Installation) -> None:
    """Raise `NoDatabase` unless the database answers."""
    async with here.transaction() as tx:
        await tx.execute(sa.select(1))


def installation() -> Installation:
    """Settings from the environment, and what it leaves out from the data folder of `rymi up`."""
    settings = read_settings()
    settings = read_settings(secrets_of(settings.data_folder).read())
    return Installation(settings, settings.database_url or PostgresServer(settings.data_folder).url)


def within(work: Callable[[Transaction, Settings], Awaitable[Result]]) -> Result:
    """Do `work` in one transaction of the installation."""
    here = installation()

    async def run() -> Result:
        async with here.transaction() as tx:
            return await work(tx, here.settings)

    return asyncio.run(run())
