"""What a page of another origin may do with a publishable key in a browser."""

import pytest
from tests.support.asking import Customer, web

from rymi_server.http.cross_origin import OPEN_TO_PAGES

ORIGIN = {"Origin": "https://shop.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


class TestAPage:
    async def test_may_ask_for_a_call(self, acme: Customer) -> None:
        answer = await acme.http.request("OPTIONS", "/v1/calls", headers=PREFLIGHT)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "POST"
        allowed = answer.headers["access-control-allow-headers"].lower()
        assert {"authorization", "content-type", "idempotency-key"} <= {name.strip() for name in allowed.split(",")}
        assert "access-control-allow-credentials" not in answer.headers

    async def test_may_read_the_call_that_it_gets(self, acme: Customer) -> None:
        key = await acme.new_publishable_key(await acme.new_agent())
        answer = await key.post("/v1/calls", {"participants": [web()]}, headers=ORIGIN)
        assert answer.status_code == 201
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "X-Request-Id" in answer.headers["access-control-expose-headers"]

    async def test_may_read_why_it_gets_none(self, acme: Customer) -> None:
        answer = await acme.http.post("/v1/calls", json={}, headers=ORIGIN)
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == "*"

    @pytest.mark.parametrize(
        "path", ["/v1/agents", "/v1/calls/batch", "/v1/calls/active", "/v1/keys/publishable", "/v1/calls/x/end"]
    )
    async def test_may_ask_for_nothing_else(self, path: str, acme: Customer) -> None:
        assert path not in OPEN_TO_PAGES
        for method in ("OPTIONS", "GET", "POST"):
            answer = await acme.http.request(method, path, headers=PREFLIGHT)
            assert "access-control-allow-origin" not in answer.headers
            assert answer.status_code >= 400

    async def test_may_not_list_calls(self, acme: Customer) -> None:
        answer = await acme.get("/v1/calls", headers=ORIGIN)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers

    async def test_asks_options_without_cors_as_anybody_does(self, acme: Customer) -> None:
        assert (await acme.http.request("OPTIONS", "/v1/calls")).status_code == 405
