from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import SILENT, Lab
from tests.support.box_lab import box_lab, customer_of_carriers

from carrierbox.callees.script import Script, Wait


@pytest.fixture
async def customer() -> AsyncIterator[Customer]:
    async with customer_of_carriers() as customer:
        yield customer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def lab(http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[Lab]:
    """A box whose clock is the machine's."""
    async with box_lab(http) as lab:
        lab.box.exchange.scripts[SILENT] = Script((Wait(90_000),), ring_ms=50)
        yield lab


@pytest.fixture
async def hurried(http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[Lab]:
    """A box in which ten seconds pass in one."""
    async with box_lab(http, times=10) as lab:
        yield lab
