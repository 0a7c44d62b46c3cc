"""The internal endpoints that agents speak to, over real HTTP: what they report is kept, and the server can go away."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.reports import Answer, AnyReport, Order, Reports, Said

TOKEN = "a-token-of-one-call"


@dataclass
class InternalApi:
    """Knows one briefing for each call id."""

    briefings: dict[str, Briefing] = field(default_factory=dict)
    # Of each run, by sequence: a repeated report changes nothing.
    taken: dict[str, dict[int, AnyReport]] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    over: set[str] = field(default_factory=set)
    signs_of_life: list[str] = field(default_factory=list)
    # Runs that were found dead.
    deaths: list[str] = field(default_factory=list)
    port: int = 0
    answers: int = 200
    briefs: int = 200
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def reports(self) -> list[AnyReport]:
        return [report for run in self.taken.values() for _, report in sorted(run.items())]

    def of(self, kind: type) -> list[Any]:
        return [report for report in self.reports if isinstance(report, kind)]

    @property
    def lines(self) -> list[str]:
        return [f"{each.line.identity or 'agent'}: {each.line.text}" for each in self.of(Said)]

    async def start(self) -> None:
        app = web.Application(client_max_size=10_000_000)
        app.router.add_get("/internal/v1/calls/{call_id}/briefing", self._briefing)
        app.router.add_post("/internal/v1/calls/{call_id}/reports", self._take)
        app.router.add_post("/internal/v1/calls/{call_id}/runs/{run}/death", self._hear_of_death)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        assert site._server
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]

    async def stop(self) -> None:
        if self._runner is not None:
            async with asyncio.timeout(10):
                await self._runner.cleanup()
            self._runner = None

    def _refused(self, request: web.Request) -> bool:
        return request.headers.get("Authorization") != f"Bearer {TOKEN}"

    async def _briefing(self, request: web.Request) -> web.Response:
        told = self.briefings.get(request.match_info["call_id"])
        if self._refused(request) or told is None:
            return web.json_response({}, status=401 if self._refused(request) else 404)
        if self.briefs != 200:
            return web.json_response({}, status=self.briefs)
        return web.Response(text=told.model_dump_json(), content_type="application/json")

    async def _take(self, request: web.Request) -> web.Response:
        call_id = request.match_info["call_id"]
        if self._refused(request) or self.answers != 200:
            return web.json_response({}, status=401 if self._refused(request) else self.answers)
        batch = Reports.model_validate_json(await request.read())
        run = self.taken.setdefault(batch.run, {})
        for each in batch.reports:
            run.setdefault(each.sequence, each.report)
        self.signs_of_life.append(batch.run)
        answer = Answer(accepted=max(run, default=-1), over=call_id in self.over, orders=tuple(self.orders))
        return web.Response(text=answer.model_dump_json(), content_type="application/json")

    async def _hear_of_death(self, request: web.Request) -> web.Response:
        if self._refused(request) or self.answers != 200:
            return web.json_response({}, status=401 if self._refused(request) else self.answers)
        self.deaths.append(request.match_info["run"])
        return web.Response(status=204)
