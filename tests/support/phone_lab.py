"""Phones for real: the API and a worker on loopback, carriers in a box, and a door where media sockets knock."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import sqlalchemy as sa
from aiohttp import WSMsgType, web
from prometheus_client import CollectorRegistry
from tests.carrierbox.lab import Lab
from tests.support.asking import CLOCK, SECRET, Customer, new_customer, settings_for_tests
from tests.support.up import free_ports
from tests.support.waiting import until

from carrierbox import stock
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings as BoxSettings
from rymi_server.entrypoints.building import build_edge
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.serving import serve
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.worker import build_worker
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import LegId
from rymi_server.http.app import server
from rymi_server.telephony import legs
from rymi_server.telephony.media_tokens import MediaTokens
from rymi_server.telephony.models import telephony_legs

CREDENTIALS: dict[str, dict[str, str]] = {
    "twilio": {"provider": "twilio", "auth_id": stock.TWILIO_SID, "auth_token": stock.TWILIO_TOKEN},
    "plivo": {"provider": "plivo", "auth_id": stock.PLIVO_ID, "auth_token": stock.PLIVO_TOKEN},
    "vonage": {
        "provider": "vonage",
        "api_key": stock.VONAGE_KEY,
        "api_secret": stock.VONAGE_SECRET,
        "signature_secret": stock.VONAGE_SIGNATURE_SECRET,
    },
}
BOX = BoxSettings(
    port=0, twilio_calls_per_second=50, plivo_calls_per_second=50, vonage_calls_per_second=50, max_calls=600
)
LIMITS = {name: {"calls_per_second": 50} for name in CREDENTIALS}
IMPATIENT = {"lockDuration": 2_000, "stalledInterval": 1_000}
_MEDIA = re.compile(r"/media/(?P<carrier>\w+)/(?P<leg>\w+)/(?P<token>\w+)")


@dataclass
class PhoneLab:
    box: Lab
    database: Database
    settings: Settings
    url: str
    http: httpx.AsyncClient
    refused: list[str] = field(default_factory=list)
    bridged: list[str] = field(default_factory=list)
    # With another one than the API's, the door knows no token.
    door_secret: str = SECRET

    async def customer(self, provider: str | None = None) -> Customer:
        """A tenant, with a carrier connected if one is named."""
        customer = await new_customer(self.database, self.http)
        if provider:
            answer = await customer.post("/v1/telephony/connect", CREDENTIALS[provider])
            assert answer.status_code == 200, answer.text
        return customer

    async def calls_in_box(self, **fields: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.box.get("/calls"))["calls"]
        return [each for each in found if fields.items() <= each.items()]

    async def fault(self, **fields: Any) -> None:
        await self.box.send("POST", "/faults", fields)

    async def detail(self, customer: Customer, call_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await customer.get(f"/v1/calls/{call_id}")).json()
        return found

    async def until_status(self, customer: Customer, call_id: str, *wanted: str, seconds: float = 30) -> dict[str, Any]:
        async def there() -> bool:
            return (await self.detail(customer, call_id))["status"] in wanted

        try:
            await until(f"the call to be {' or '.join(wanted)}", there, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {await self.detail(customer, call_id)}") from error
        return await self.detail(customer, call_id)

    async def until_leg(self, leg_id: str, seconds: float = 30, **wanted: object) -> dict[str, Any]:
        async def there() -> bool:
            leg = await self.leg(leg_id)
            return all(leg[name] == value for name, value in wanted.items())

        try:
            await until(f"the leg to be {wanted}", there, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {await self.leg(leg_id)}") from error
        return await self.leg(leg_id)

    async def leg(self, leg_id: str) -> dict[str, Any]:
        async with self.database.transaction() as tx:
            row = (await tx.execute(sa.select(telephony_legs).where(telephony_legs.c.id == leg_id))).one()
        return dict(row._mapping)

    # --- where media sockets knock ---

    def media_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/media/{rest:.*}", self._media)
        return app

    async def _media(self, request: web.Request) -> web.WebSocketResponse:
        """As a gateway does: the token opens the leg, the phone is in, and out again when the socket closes."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        at = _MEDIA.fullmatch(request.path)
        assert at is not None
        tokens, leg_id = MediaTokens.under(self.door_secret), LegId(at["leg"])
        async with self.database.transaction() as tx:
            opened = await tokens.consume(tx, leg_id, at["token"], CLOCK.now())
            wanted = opened is not None and await legs.bridged(tx, leg_id, CLOCK.now())
        if not wanted:
            self.refused.append(leg_id)
            await socket.close(code=1008)
            return socket
        self.bridged.append(leg_id)
        async for message in socket:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
        async with self.database.transaction() as tx:
            await legs.media_ended(tx, leg_id, CLOCK.now())
        return socket


@asynccontextmanager
async def phone_lab(
    database: Database, *, speed: float = 4, works: bool = True, box_settings: BoxSettings = BOX, **changed: Any
) -> AsyncIterator[PhoneLab]:
    (api_port, media_port) = free_ports(2)
    url = f"http://127.0.0.1:{api_port}"
    async with (
        aiohttp.ClientSession() as session,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
        serving(box_settings, SteadyClock(speed)) as (box, address),
    ):
        settings = settings_for_tests(
            **{
                "database_url": database.url,
                "public_base_url": url,
                "media_url": f"ws://127.0.0.1:{media_port}",
                "twilio_url": f"{address}/twilio",
                "plivo_url": f"{address}/plivo",
                "vonage_url": f"{address}/vonage",
                "vonage_account_url": f"{address}/vonage",
                "carrier_limits": LIMITS,
                "worker_metrics_port": 0,
                "connect_attempts": 100,
                **changed,
            }
        )
        lab = PhoneLab(Lab(session, box, address), database, settings, url, http)
        async with _media_door(lab, media_port), _api(lab, api_port):
            if not works:
                yield lab
                return
            async with working(lab):
                yield lab


@asynccontextmanager
async def working(lab: PhoneLab) -> AsyncIterator[None]:
    """A worker beside the API."""
    stop = asyncio.Event()
    worker = asyncio.create_task(build_worker(lab.settings, queue_settings=IMPATIENT).run(stop))
    try:
        yield
    finally:
        stop.set()
        await worker


@asynccontextmanager
async def _media_door(lab: PhoneLab, port: int) -> AsyncIterator[None]:
    runner = web.AppRunner(lab.media_app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _api(lab: PhoneLab, port: int) -> AsyncIterator[None]:
    async def ready() -> list[Any]:
        return []

    stop = asyncio.Event()
    edge = build_edge(lab.settings, lab.database, CLOCK)
    app = server(edge, ready, CollectorRegistry())
    serving_api = asyncio.create_task(
        serve(app, listen("127.0.0.1", port, "a port"), stop, trusted_proxies="127.0.0.1")
    )
    try:
        yield
    finally:
        stop.set()
        await serving_api
        await edge.connections.close()
