"""What several of these tests stand on."""

from collections.abc import AsyncIterator

import pytest

from rymi_server.foundation.database import Database


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """For whoever has workers run beside the test, which would meet what others leave behind."""
    database = Database(database_url)
    yield database
    await database.close()
