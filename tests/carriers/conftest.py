from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from tests.carrierbox.customer import Customer


@pytest.fixture
async def customer() -> AsyncIterator[Customer]:
    """Where the carriers find us."""
    customer = Customer()
    runner = web.AppRunner(customer.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    customer.address = f"http://{host}:{port}"
    yield customer
    await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
