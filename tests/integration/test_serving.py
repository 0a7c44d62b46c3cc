"""A process that is told to stop answers what it has begun, and takes nothing new."""

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from rymi_server.entrypoints.ports import PortTaken, listen
from rymi_server.entrypoints.serving import serve


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late, but here"})


class TestStopping:
    async def test_answers_what_runs_and_accepts_nothing_more(self) -> None:
        app, stop, listening = Slow(), asyncio.Event(), listen("127.0.0.1", 0, "PORT")
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        serving = asyncio.create_task(serve(app, listening, stop, trusted_proxies=""))
        async with httpx.AsyncClient() as http:
            running = asyncio.create_task(http.get(url))
            await app.asked.wait()
            stop.set()
            app.may_answer.set()
            assert (await running).text == "late, but here"
            await serving
            with pytest.raises(httpx.ConnectError):
                await http.get(url)


class TestListening:
    def test_names_the_setting_of_a_port_that_is_taken(self) -> None:
        with listen("127.0.0.1", 0, "PORT") as taken, pytest.raises(PortTaken) as refused:
            listen("127.0.0.1", taken.getsockname()[1], "RYMI_HTTP_PORT")
        assert "RYMI_HTTP_PORT chooses another port" in refused.value.message
