"""A gateway between a carrier in a box and a real room; only who may come in is decided by the test."""

import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.gateway.standing_in import Ledger, TestDoor
from tests.gateway.station import Station
from tests.roomlet.people import Gather, gathering
from tests.roomlet.running import Running, roomlet
from tests.support.box_lab import box_lab, customer_of_carriers

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
    async with customer_of_carriers() as customer:
        yield customer


@pytest.fixture
async def lab(http: aiohttp.ClientSession) -> AsyncIterator[Lab]:
    async with box_lab(http, most_calls=60) as lab:
        yield lab


@pytest.fixture
async def station(rooms: Running, lab: Lab, customer: Customer) -> AsyncIterator[Station]:
    station = Station(rooms, lab, customer, TestDoor(), Ledger(), CollectorRegistry(), number=next(_rooms))
    async with station.open():
        yield station


@pytest.fixture
async def come(rooms: Running, station: Station) -> AsyncIterator[Gather]:
    async with gathering(rooms, station.room) as gather:
        yield gather
