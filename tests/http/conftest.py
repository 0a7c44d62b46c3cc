"""The API on a database of the test's own, and two customers of it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.support.asking import Customer, client_for, new_customer

from rymi_server.foundation.database import Database


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(database) as client:
        yield client


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http, name="Acme")


@pytest.fixture
async def rival(database: Database, http: httpx.AsyncClient) -> Customer:
    """Another tenant, who must never see anything of Acme's."""
    return await new_customer(database, http, name="Rival")
