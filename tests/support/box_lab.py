"""Carriers in a box, and a customer of theirs whom they find at an address of this machine."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
from aiohttp import web
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab

from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings

UNHURRIED = Settings(
    port=0, twilio_calls_per_second=50, plivo_calls_per_second=50, vonage_calls_per_second=50, max_calls=20
)


@contextlib.asynccontextmanager
async def customer_of_carriers() -> AsyncIterator[Customer]:
    """Serves the answer documents, and hears callbacks."""
    customer = Customer()
    runner = web.AppRunner(customer.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        customer.address = f"http://{host}:{port}"
        yield customer
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def box_lab(
    http: aiohttp.ClientSession, *, times: float = 1, most_calls: int = UNHURRIED.max_calls
) -> AsyncIterator[Lab]:
    """A box on the machine's clock, or on one that goes so many times as fast."""
    async with serving(replace(UNHURRIED, max_calls=most_calls), SteadyClock(times)) as (box, address):
        yield Lab(http, box, address)
