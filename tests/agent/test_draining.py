"""A worker that is told to stop: what runs goes on to its end, and nothing is begun."""

import signal
from pathlib import Path

from tests.agent.conftest import Call
from tests.agent.patience import eventually
from tests.agent.test_rooms import OPEN, RECORDED, SATURDAY, answers, heard, understood
from tests.agent.workers import agent_worker
from tests.roomlet.people import Server
from tests.roomlet.waiting import stays, within

from rymi_server.runtime.reports import SegmentRecorded

NAME = "to-be-stopped"


class TestAWorkerThatIsToldToStop:
    async def test_holds_its_call_to_the_end_and_takes_no_other(
        self, call: Call, rooms: Server, tmp_path: Path
    ) -> None:
        call.agent_name = NAME
        call.told(post_call=RECORDED)
        async with agent_worker(rooms, tmp_path, RYMI_AGENT_NAME=NAME) as worker:
            alice = await call.caller("alice")
            await call.send_agent()
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
