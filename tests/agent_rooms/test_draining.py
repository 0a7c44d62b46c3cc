"""A worker that is told to stop: what runs goes on to its end, and nothing is begun."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.agent.patience import eventually
from tests.agent_rooms.conftest import Call
from tests.agent_rooms.talking import OPEN, RECORDED, SATURDAY, answers, heard, understood
from tests.agent_rooms.workers import agent_worker
from tests.roomlet.people import Server
from tests.roomlet.waiting import stays, within
from tests.support.relaying import relay

from rymi_server.runtime.reporting.life import left_behind
from rymi_server.runtime.reports import Happened, SegmentRecorded

# An agent of a name of its own in each of them: what is never taken waits for the next of its name.


class TestAWorkerThatIsToldToStop:
    async def test_holds_its_call_to_the_end_and_takes_no_other(
        self, call: Call, rooms: Server, tmp_path: Path
    ) -> None:
        call.agent_name = "held-to-the-end"
        call.told(post_call=RECORDED)
        async with agent_worker(rooms, tmp_path, RYMI_AGENT_NAME=call.agent_name) as worker:
            alice = await call.caller("alice")
            await call.send_agent()
            await eventually("the greeting was said", lambda: call.api.lines)
            await understood(call, alice, SATURDAY)
            worker.process.send_signal(signal.SIGTERM)
            await eventually("it drains", lambda: worker.logged("agent_draining"))
            await call.send_agent()
            await understood(call, alice, OPEN)
            assert heard(call) == [("alice", SATURDAY), ("alice", OPEN)]
            assert answers(call, "We are open from nine to five.") == 1
            await stays("nobody else was sent in", lambda: len(worker.jobs) == 1, 0.5)
            await call.everyone_leaves()
            assert await within("the worker stops", worker.process.wait(), 60) == 0
            assert [each for each in call.api.of(SegmentRecorded) if each.duration_ms > 2_000]

    @pytest.mark.parametrize(("how", "drains_s"), [("at once", 0), ("asked again", 3_600)])
    async def test_leaves_a_call_that_lasts_too_long_and_hands_in_what_it_has_of_it(
        self, how: str, drains_s: int, call: Call, rooms: Server, tmp_path: Path
    ) -> None:
        call.agent_name = f"leaves-{how.replace(' ', '-')}"
        call.told(post_call=RECORDED)
        more = {"RYMI_AGENT_NAME": call.agent_name, "RYMI_AGENT_DRAIN_SECONDS": str(drains_s)}
        async with agent_worker(rooms, tmp_path, **more) as worker:
            alice = await call.caller("alice")
            await call.send_agent()
            await eventually("the greeting was said", lambda: call.api.lines)
            await understood(call, alice, SATURDAY)
            worker.process.send_signal(signal.SIGTERM)
            if drains_s:
                await eventually("it drains", lambda: worker.logged("agent_draining"))
                await stays("it holds the call", lambda: worker.process.returncode is None, 0.5)
                worker.process.send_signal(signal.SIGTERM)
            assert await within("the worker stops", worker.process.wait(), 60) == 0
            assert call.api.of(SegmentRecorded)
            assert worker.logged("calls_cut_short")
            # By itself: livekit-agents, which would have cancelled it after fifteen seconds, had nothing to say.
            assert [each["reason"] for each in worker.logged("call_left")] == ["cut_short"]
            assert not [line for line in worker.log if "entrypoint did not exit" in line.get("event", "")]
            # Somebody else is wanted in the call, and whoever starts here next tells so if nobody has.
            assert call.api.deaths == ["run1"] or list(left_behind(worker.folder))
            assert worker.complaints == []


class TestARoomThatDoesNotLetTheAgentIn:
    async def test_is_an_error(self, call: Call, rooms: Server, tmp_path: Path) -> None:
        call.agent_name = "shut-out"
        async with for_workers_only(rooms) as url:
            more = {"RYMI_AGENT_NAME": call.agent_name, "LIVEKIT_URL": url}
            async with agent_worker(rooms, tmp_path, **more) as worker:
                await call.send_agent()
                await eventually("it is logged", lambda: worker.logged("call_failed"))
                await eventually("it is told", lambda: any(each.level == "error" for each in call.api.of(Happened)))
                await eventually("it goes to the top", lambda: len(worker.complaints) > 1)


@contextlib.asynccontextmanager
async def for_workers_only(rooms: Server) -> AsyncIterator[str]:
    """A way to the room server on which workers get through, and nobody gets into a room."""
    host, _, port = rooms.url.rpartition("/")[2].partition(":")

    async def let_through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readline()
        if asked.startswith(b"GET /agent"):
            await relay(reader, writer, host, int(port), first=asked)
        writer.close()

    server = await asyncio.start_server(let_through, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
