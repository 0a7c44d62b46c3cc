"""The call that a process holds with nobody before its first."""

import asyncio

from structlog.testing import capture_logs

from rymi_server.runtime.session.warming import warm_up
from rymi_server.runtime.turn_taking.scores import installed_scores


async def test_is_held_to_its_answer() -> None:
    with capture_logs() as logged:
        await asyncio.to_thread(warm_up, installed_scores())
    assert [each["event"] for each in logged if each["log_level"] != "info"] == []
