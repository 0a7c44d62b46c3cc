"""A customer whose endpoints may be on this machine, and somebody who delivers by hand."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.webhooks.delivering import Hand
from tests.support.asking import Customer, client_for, new_customer

from rymi_server.foundation.database import Database


@pytest.fixture
async def acme(own_database: Database) -> AsyncIterator[Customer]:
    async with client_for(own_database, allow_private_webhooks=True) as http:
        yield await new_customer(own_database, http)


@pytest.fixture
async def hand(own_database: Database) -> AsyncIterator[Hand]:
    hand = Hand(own_database)
    yield hand
    await hand.close()
