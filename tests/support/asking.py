"""An API in this process, and people who ask it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from rymi_server.entrypoints.building import build_edge
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.tenancy import add_credit, create_key, create_tenant
from rymi_server.foundation.clock import Clock, SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.app import server
from rymi_server.tenants.models import Tenant

SECRET = "only-for-tests-and-never-anywhere-else"
CLOCK = SystemClock()
# A well-formed id that nothing has.
NOBODY = "00000000-0000-7000-8000-000000000000"


def settings_for_tests(**changed: Any) -> Settings:
    return Settings(
        **{
            "secret": SECRET,
            "livekit_url": "ws://localhost:7880",
            "livekit_api_key": "devkey",
            "livekit_api_secret": "a-livekit-secret-for-tests-0123456789",
            "publishable_calls_per_minute": 1_000,
            "landing_demo_calls_per_minute": 1_000,
            **changed,
        }
    )


class _ServerTransport(httpx.ASGITransport):
    """To a server that hangs up on its carriers when nobody asks it any more."""

    leave: Callable[[], Awaitable[None]]

    async def aclose(self) -> None:
        await self.leave()


def client_for(database: Database, clock: Clock = CLOCK, **changed: Any) -> httpx.AsyncClient:
    """Talks to a server that has been built as a process builds it."""

    async def ready() -> list[Any]:
        return []

    edge = build_edge(settings_for_tests(**changed), database, clock)
    transport = _ServerTransport(server(edge, ready, CollectorRegistry()))
    transport.leave = edge.connections.close
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")


@dataclass
class Customer:
    """A tenant with a key, asking."""

    http: httpx.AsyncClient
    tenant: Tenant
    key: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}", **self.headers, **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return await self.ask("POST", path, json=body, **more)

    async def new_agent(self, **fields: Any) -> str:
        answer = await self.post("/v1/agents", {"name": "Aria", **fields})
        assert answer.status_code == 201, answer.text
        agent_id: str = answer.json()["id"]
        return agent_id

    async def new_publishable_key(self, agent_id: str, **fields: Any) -> "Customer":
        """The same tenant, asking with a publishable key."""
        answer = await self.post("/v1/keys/publishable", {"agent_id": agent_id, "label": "page", **fields})
        assert answer.status_code == 201, answer.text
        return Customer(self.http, self.tenant, answer.json()["key"])


async def new_customer(
    database: Database, http: httpx.AsyncClient, *, name: str = "Acme", plan: str = "custom", credit: str = "10"
) -> Customer:
    async with database.transaction() as tx:
        tenant = await create_tenant(tx, name, plan, CLOCK.now())
        key = await create_key(tx, tenant.id, "tests", pepper_from_text(SECRET), CLOCK.now())
        if Decimal(credit):
            await add_credit(tx, tenant.id, Decimal(credit), "tests", CLOCK.now())
    return Customer(http, tenant, key.plaintext)


def web(identity: str = "browser-1", **more: Any) -> dict[str, Any]:
    return {"transport": "webrtc", "identity": identity, **more}


def phone(number: str = "+15551234567", **more: Any) -> dict[str, Any]:
    return {"transport": "pstn", "identity": number, "from_number": "+15559876543", **more}
