"""Serves a box on one port until it is told to stop."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from carrierbox.box import Box, open_box
from carrierbox.clock import Clock, SteadyClock
from carrierbox.settings import BadSetting, Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def serving(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Box, str]]:
    """A box that answers at the address given with it."""
    async with open_box(settings, clock) as box:
        runner = web.AppRunner(box.app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.host, settings.port)
            try:
                await site.start()
            except OSError as error:
                raise BadSetting(
                    f"Port {settings.port} on {settings.host} is not free ({error.strerror}): stop what uses it, "
                    "or choose another with --port."
                ) from error
            host, port = runner.addresses[0][:2]
            address = f"http://{host}:{port}"
            box.stands_at(address)
            yield box, address
        finally:
            await runner.cleanup()


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then end every call and leave."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with serving(settings, SteadyClock(settings.speed)) as (_, address):
        log.info("ready", extra={"address": address})
        await stop.wait()
        log.info("stopping")
