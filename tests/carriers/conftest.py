from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.carrierbox.customer import Customer
from tests.support.box_lab import customer_of_carriers


@pytest.fixture
async def customer() -> AsyncIterator[Customer]:
    """Where the carriers find us."""
    async with customer_of_carriers() as customer:
        yield customer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
