from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import SILENT, Lab

from carrierbox.callees.script import Script, Wait
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings

UNHURRIED = Settings(
    port=0, twilio_calls_per_second=50, plivo_calls_per_second=50, vonage_calls_per_second=50, max_calls=20
)


@pytest.fixture
async def customer() -> AsyncIterator[Customer]:
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


@pytest.fixture
async def lab(http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[Lab]:
    """A box whose clock is the machine's."""
    async with serving(UNHURRIED, SteadyClock()) as (box, address):
        box.exchange.scripts[SILENT] = Script((Wait(90_000),), ring_ms=50)
        yield Lab(http, box, address)


@pytest.fixture
async def hurried(http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[Lab]:
    """A box in which ten seconds pass in one."""
    async with serving(UNHURRIED, SteadyClock(10)) as (box, address):
        yield Lab(http, box, address)
