"""An API whose recordings lie in a folder of the test, and a customer of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.support.asking import Customer, client_for, new_customer

from rymi_server.foundation.database import Database


@pytest.fixture
async def api(own_database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = (tmp_path / "storage").as_uri()
    async with client_for(
        own_database, storage_url=store, allow_private_webhooks=True, public_base_url="http://api.test"
    ) as client:
        yield client


@pytest.fixture
async def acme(own_database: Database, api: httpx.AsyncClient) -> Customer:
    return await new_customer(own_database, api)
