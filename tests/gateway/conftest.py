"""A gateway between a carrier in a box and a real room; only who may come in is decided by the test."""

import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.gateway.standing_in import Ledger, TestDoor
from tests.gateway.station import Station
from tests.roomlet.people import Gather, gathering
from tests.roomlet.running import Running, roomlet

from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings

_UNHURRIED = Settings(
    port=0, twilio_calls_per_second=50, plivo_calls_per_second=50, vonage_calls_per_second=50, max_calls=60
)
_rooms = itertools.count(1)


@pytest.fixture(scope="session")
async def rooms() -> AsyncIterator[Running]:
    async with roomlet("--agent-leave-seconds", "1") as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def customer() -> AsyncIterator[Customer]:
    """Serves the answer documents."""
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
async def lab(http: aiohttp.ClientSession) -> AsyncIterator[Lab]:
    async with serving(_UNHURRIED, SteadyClock()) as (box, address):
        yield Lab(http, box, address)


@pytest.fixture
async def station(rooms: Running, lab: Lab, customer: Customer) -> AsyncIterator[Station]:
    station = Station(rooms, lab, customer, TestDoor(), Ledger(), CollectorRegistry(), number=next(_rooms))
    async with station.open():
        yield station


@pytest.fixture
async def come(rooms: Running, station: Station) -> AsyncIterator[Gather]:
    async with gathering(rooms, station.room) as gather:
        yield gather
