"""Two customers of the API."""

import httpx
import pytest
from tests.support.asking import Customer, new_customer

from rymi_server.foundation.database import Database


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http, name="Acme")


@pytest.fixture
async def rival(database: Database, http: httpx.AsyncClient) -> Customer:
    """Another tenant, who must never see anything of Acme's."""
    return await new_customer(database, http, name="Rival")
