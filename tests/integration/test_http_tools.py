"""Tools that ask somebody else, over a real socket: `runtime/thinking/http_tool.py`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.thinking.tools import HttpRequest, Outcome, Tool, ToolExecutor

PARAMETERS = {"type": "object", "properties": {"order": {"type": "string"}}, "additionalProperties": False}


class Shop:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Mapping[str, str], str]] = []
        self.answer = web.json_response({"state": "sent"})
        self.hangs = False
        self.released = asyncio.Event()
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.method, request.path_qs, dict(request.headers), await request.text()))
        if self.hangs:
            await self.released.wait()
        return self.answer


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", shop.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    shop.url = f"http://{host}:{port}"
    yield shop
    shop.released.set()
    await runner.cleanup()


@pytest.fixture
async def tools() -> AsyncIterator[ToolExecutor]:
    tools = HttpTools(allow_private=True)
    yield tools
    await tools.aclose()


def tool(url: str, method: str = "POST", timeout_ms: int = 5_000, **headers: str) -> Tool:
    return Tool("find", "Finds.", PARAMETERS, HttpRequest(url, method, headers, timeout_ms))


class TestHttpTools:
    async def test_send_the_arguments_and_give_back_the_answer(self, shop: Shop, tools: ToolExecutor) -> None:
        outcome = await tools.run(tool(f"{shop.url}/orders", Authorization="Bearer x"), {"order": "12"})
        assert outcome == Outcome(True, {"state": "sent"})
        [(method, path, headers, body)] = shop.asked
        assert (method, path, body) == ("POST", "/orders", '{"order": "12"}')
        assert headers["Authorization"] == "Bearer x"

    async def test_put_arguments_into_the_query_of_a_get(self, shop: Shop, tools: ToolExecutor) -> None:
        await tools.run(tool(f"{shop.url}/orders?shop=1", "GET"), {"order": "1&admin=1#x"})
        assert shop.asked[0][1] == "/orders?shop=1&order=1%26admin%3D1%23x"

    @pytest.mark.parametrize(
        ("answer", "content"),
        [
            (web.Response(text="plain words"), "plain words"),
            (web.Response(text="x" * 100_000), "x" * 4_000 + "…"),
            (web.Response(body=b"\xff\x00a"), "\ufffda"),
            (web.Response(text=""), ""),
            (web.Response(text='{"name": "Ann \\ud83d\\u0000"}'), {"name": "Ann ?"}),
        ],
        ids=["words", "long", "bytes", "nothing", "half a character"],
    )
    async def test_read_what_can_be_read(
        self, shop: Shop, tools: ToolExecutor, answer: web.Response, content: Any
    ) -> None:
        shop.answer = answer
        assert await tools.run(tool(shop.url), {}) == Outcome(True, content)

    @pytest.mark.parametrize("status", [302, 400, 404, 500])
    async def test_do_not_follow_and_do_not_quote_a_failure(self, shop: Shop, tools: ToolExecutor, status: int) -> None:
        shop.answer = web.Response(status=status, text="secret", headers={"location": "http://169.254.169.254/"})
        assert await tools.run(tool(shop.url), {}) == Outcome(False, f"it answered {status}")
        assert len(shop.asked) == 1

    async def test_do_not_wait_for_ever(self, shop: Shop, tools: ToolExecutor) -> None:
        shop.hangs = True
        outcome = await tools.run(tool(shop.url, timeout_ms=100), {})
        assert outcome == Outcome(False, "no answer within 100 ms")

    async def test_ask_nobody_with_arguments_that_do_not_fit(self, shop: Shop, tools: ToolExecutor) -> None:
        outcome = await tools.run(tool(shop.url), {"order": 12, "x": 1})
        assert not outcome.succeeded
        assert "do not fit" in outcome.content
        assert shop.asked == []

    async def test_say_that_nobody_is_there(self, tools: ToolExecutor) -> None:
        assert not (await tools.run(tool("http://127.0.0.1:9/"), {})).succeeded

    @pytest.mark.parametrize(
        "url", ["https://127.0.0.1/", "http://example.com/", "https://localhost/", "https://[::1]/"]
    )
    async def test_stay_out_of_private_networks(self, url: str) -> None:
        tools = HttpTools()
        outcome = await tools.run(tool(url), {})
        await tools.aclose()
        assert not outcome.succeeded

    async def test_are_not_led_there_by_a_name(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        # What a hostile name server answers cannot be had otherwise.
        async def resolve(*_: Any, **__: Any) -> list[Any]:
            return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        tools = HttpTools()
        outcome = await tools.run(tool("https://shop.example.com/"), {})
        await tools.aclose()
        assert outcome == Outcome(False, "leads to a private or reserved address")
