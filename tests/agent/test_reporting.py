"""Reports on their way to an API over real HTTP."""

from pathlib import Path

import aiohttp
from tests.agent.api import TOKEN, InternalApi
from tests.agent.patience import eventually

from rymi_server.runtime.reporting import internal_api
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import Line, Remembered, Said


def said(text: str) -> Said:
    return Said(line=Line(speaker="agent", text=text, started_at_ms=0, ended_at_ms=1), segment_id="s")


class TestAReport:
    async def test_that_is_no_json_is_the_only_one_that_is_lost(self, tmp_path: Path) -> None:
        api = InternalApi()
        await api.start()
        address = Address(api.url, "call1", TOKEN, "run1")
        async with aiohttp.ClientSession() as http:
            post = internal_api.InternalApi(http, address).post
            reporter = Reporter(post, "run1", Journal(tmp_path / "journal", address))
            reporter.start()
            for report in (said("before"), Remembered(memory={"result": object()}), said("after")):
                reporter.send(report)
            await eventually("the others are there", lambda: api.lines == ["agent: before", "agent: after"])
            reporter.send(said("later"))
            await reporter.aclose()
        assert api.lines[-1] == "agent: later"
        await api.stop()
