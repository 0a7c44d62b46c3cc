"""A server that is about to stop takes nothing new on, and says so."""

import httpx
from prometheus_client import CollectorRegistry
from tests.support.asking import CLOCK, new_customer, settings_for_tests, web

from rymi_server.entrypoints.building import build_edge
from rymi_server.foundation.database import Database
from rymi_server.http.app import server
from rymi_server.http.health import Missing


async def _ready() -> list[Missing]:
    return []


class TestDraining:
    async def test_refuses_customers_and_hears_everybody_else(self, database: Database) -> None:
        edge = build_edge(settings_for_tests(), database, CLOCK)
        transport = httpx.ASGITransport(server(edge, _ready, CollectorRegistry()))
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as http:
            acme = await new_customer(database, http)
            body = {"agent_id": await acme.new_agent(), "participants": [web()]}
            edge.draining.set()
            answer = await acme.post("/v1/calls", body)
            assert (answer.status_code, answer.json()["code"]) == (503, "draining")
            assert (answer.headers["Retry-After"], answer.headers["Connection"]) == ("1", "close")
            assert answer.headers["X-Request-Id"]
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.post("/internal/livekit/webhook", content=b"")).status_code == 401


class TestAKeyForEverybody:
    async def test_is_tried_less_often_than_one_s_own(self, database: Database) -> None:
        edge = build_edge(settings_for_tests(landing_demo_calls_per_minute=2), database, CLOCK)
        transport = httpx.ASGITransport(server(edge, _ready, CollectorRegistry()))
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as http:
            acme = await new_customer(database, http)
            agent_id = await acme.new_agent()
            page = await acme.new_publishable_key(agent_id, audience="landing_demo", allowed_channels=["web"])
            own = await acme.new_publishable_key(agent_id, allowed_channels=["web"])
            calls = [(await page.post("/v1/calls", {"participants": [web()]})).status_code for _ in range(3)]
            assert calls == [201, 201, 429]
            assert (await own.post("/v1/calls", {"participants": [web()]})).status_code == 201
