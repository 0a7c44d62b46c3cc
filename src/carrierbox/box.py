"""Puts the box together: one web application with every carrier's paths, and everything that lives behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from carrierbox.accounts import Accounts
from carrierbox.calls.carrier import Carrier
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import Ledger
from carrierbox.calls.tools import Tools
from carrierbox.clock import Clock
from carrierbox.control.api import Control
from carrierbox.control.surroundings import Surroundings
from carrierbox.delivery.courier import Courier
from carrierbox.delivery.faults import FaultBook
from carrierbox.numbers import Numbers
from carrierbox.plivo import applications as plivo_applications
from carrierbox.plivo.carrier import Plivo
from carrierbox.plivo.rest import PlivoRest
from carrierbox.plivo.rest_numbers import NumberRoutes
from carrierbox.rest.faulty import faulty
from carrierbox.settings import Settings
from carrierbox.speech.espeak import Espeak
from carrierbox.speech.voices import Voices
from carrierbox.stock import stock
from carrierbox.twilio.carrier import Twilio
from carrierbox.twilio.rest import TwilioRest
from carrierbox.vonage import applications as vonage_applications
from carrierbox.vonage.carrier import Vonage
from carrierbox.vonage.rest import VonageRest
from carrierbox.vonage.rest_account import AccountRoutes

FAREWELL_S = 3.0


class Box:
    """A running box. `app` is what a web server serves."""

    def __init__(self, settings: Settings, clock: Clock, http: aiohttp.ClientSession, voices: Voices) -> None:
        self._settings = settings
        self._clock = clock
        self.accounts = Accounts()
        self.numbers = Numbers()
        self.faults = FaultBook()
        self.courier = Courier(http, clock, self.faults)
        tools = Tools(clock, self.courier, http, voices, self.faults, settings.recording_seconds)
        self.exchange = Exchange(
            tools, Ledger(settings.max_calls, settings.remembered_calls, settings.remembered_recordings)
        )
        self._plivo_applications = plivo_applications.Applications()
        self._vonage_applications = vonage_applications.Applications()
        twilio = Twilio(self.accounts, clock, signs_ports=settings.twilio_signs_ports)
        plivo = Plivo(self.accounts, self._plivo_applications, clock)
        self.vonage = Vonage(self.accounts, self._vonage_applications, clock)
        carriers: tuple[Carrier, ...] = (twilio, plivo, self.vonage)
        self.carriers = {carrier.name: carrier for carrier in carriers}
        stock(self.accounts, self.numbers, settings, clock)
        surroundings = Surroundings(self.exchange, self.carriers, self.accounts, self.numbers)
        control = Control(self.exchange, self.carriers, surroundings, self.reset, settings.control_token)
        rests: dict[str, TwilioRest | PlivoRest | VonageRest] = {
            "twilio": TwilioRest(twilio, self.exchange, self.accounts, self.numbers),
            "plivo": PlivoRest(
                plivo, self.exchange, self.accounts, NumberRoutes(self.numbers, self._plivo_applications)
            ),
            "vonage": VonageRest(
                self.vonage,
                self.exchange,
                self.accounts,
                AccountRoutes(self.accounts, self.numbers, self._vonage_applications),
            ),
        }
        self.app = web.Application()
        for name, rest in rests.items():
            self.app.add_subapp(f"/{name}", rest.app(faulty(name, self.faults, clock)))
        self.app.add_subapp("/control", control.app())
        self.app.add_routes([web.get("/", control.page), web.get("/healthz", control.health)])

    def stands_at(self, address: str) -> None:
        """Vonage tells applications where a call's own API is."""
        self.vonage.region_url = f"{address}/vonage"

    async def reset(self) -> None:
        """Back to the first day: no calls, no faults, no scripts, the box's own accounts and numbers."""
        await self.exchange.close()
        await self.courier.settle(FAREWELL_S)
        self.faults.clear()
        self.exchange.scripts.clear()
        self.exchange.ledger.forget_all()
        self._plivo_applications.clear()
        self._vonage_applications.clear()
        stock(self.accounts, self.numbers, self._settings, self._clock)

    async def close(self) -> None:
        await self.exchange.close()
        await self.courier.settle(FAREWELL_S)


@asynccontextmanager
async def open_box(settings: Settings, clock: Clock) -> AsyncIterator[Box]:
    """A box whose calls and connections are all ended on the way out."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
        box = Box(settings, clock, http, Espeak())
        try:
            yield box
        finally:
            await box.close()
