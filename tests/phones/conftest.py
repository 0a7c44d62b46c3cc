from collections.abc import AsyncIterator

import pytest
from tests.support.phone_lab import PhoneLab, phone_lab

from rymi_server.foundation.database import Database


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """Workers of one test must not see the jobs of another."""
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def idle_lab(own_database: Database) -> AsyncIterator[PhoneLab]:
    """Its jobs wait until there is a worker beside it."""
    async with phone_lab(own_database, works=False) as lab:
        yield lab


@pytest.fixture
async def lab(own_database: Database) -> AsyncIterator[PhoneLab]:
    async with phone_lab(own_database) as lab:
        yield lab
