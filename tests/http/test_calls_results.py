"""What a call leaves behind: summary, transcript, recording, events; reprocessing; the queue's counts."""

from typing import Any

import pytest
from tests.support.asking import CLOCK, Customer, phone, web
from tests.support.calling import everybody_joins, jobs_in, say

from rymi_server.calls.models import IntelligenceStatus
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.intelligence import store as intelligence
from rymi_server.recordings.models import recordings


@pytest.fixture
async def call(acme: Customer) -> str:
    body = {"agent_id": await acme.new_agent(), "participants": [web()]}
    call_id: str = (await acme.post("/v1/calls", body)).json()["id"]
    return call_id


class TestWhatIsNotThereYet:
    @pytest.mark.parametrize("part", ["summary", "transcript", "recording"])
    async def test_is_404(self, acme: Customer, call: str, part: str) -> None:
        answer = await acme.get(f"/v1/calls/{call}/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_ready")

    @pytest.mark.parametrize("part", ["summary", "transcript", "recording", "events"])
    async def test_does_not_exist_for_another_tenant(self, rival: Customer, call: str, part: str) -> None:
        answer = await rival.get(f"/v1/calls/{call}/{part}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


class TestSummary:
    async def test_is_the_newest_one(self, acme: Customer, database: Database, call: str) -> None:
        for text in ("The first.", "The second."):
            await _analysed(database, call, summary=text, sentiment="positive")
        answer = await acme.get(f"/v1/calls/{call}/summary")
        assert answer.json() == {"status": "completed", "sentiment": "positive", "summary": "The second."}

    async def test_stays_while_the_call_is_read_again(self, acme: Customer, database: Database, call: str) -> None:
        await everybody_joins(database, call)
        await acme.post(f"/v1/calls/{call}/end")
        await _analysed(database, call, summary="What was found.", sentiment="positive")
        await acme.post(f"/v1/calls/{call}/reprocess")
        assert (await acme.get(f"/v1/calls/{call}/summary")).json()["summary"] == "What was found."
        shown = (await acme.get(f"/v1/calls/{call}")).json()
        assert shown["intelligence_status"] == "pending"
        assert (shown["intelligence"]["status"], shown["intelligence"]["revision"]) == ("completed", 1)

    async def test_is_shown_where_only_another_part_failed(self, acme: Customer, database: Database, call: str) -> None:
        failed = {"part": "evaluation", "code": "model_failed", "message": "it broke off", "fatal": True}
        await _analysed(database, call, IntelligenceStatus.FAILED, summary="They talked.", errors=[failed])
        answer = await acme.get(f"/v1/calls/{call}/summary")
        assert answer.json() == {"status": "failed", "sentiment": None, "summary": "They talked."}

    async def test_that_was_not_found_is_404(self, acme: Customer, database: Database, call: str) -> None:
        await _analysed(database, call, IntelligenceStatus.FAILED)
        assert (await acme.get(f"/v1/calls/{call}/summary")).status_code == 404


class TestTranscript:
    async def test_has_every_line_in_both_shapes(self, acme: Customer, database: Database, call: str) -> None:
        await say(database, call, ("user", "browser-1", "Hello?"), ("agent", None, "Hi."))
        transcript = (await acme.get(f"/v1/calls/{call}/transcript")).json()
        assert transcript["text"] == "Caller: Hello?\nAgent: Hi."
        assert transcript["transcript"][0] == {
            "id": "t_1",
            "type": "user_input",
            "response": "Hello?",
            "speaker": "user",
            "text": "Hello?",
            "participant_id": None,
            "identity": "browser-1",
            "sequence": 0,
            "started_at_ms": 0,
            "ended_at_ms": 900,
            "is_final": True,
            "source": "runtime",
        }
        assert transcript["transcript"][1]["type"] == "ai_response"
        assert [segment["sequence"] for segment in transcript["segments"]] == [0, 1]

    async def test_names_the_callers_once_there_are_two(self, acme: Customer, database: Database, call: str) -> None:
        await say(database, call, ("user", "ann", "Hello."), ("user", "bob", "Me too."), ("agent", None, "Hi."))
        text = (await acme.get(f"/v1/calls/{call}/transcript")).json()["text"]
        assert text == "Caller (ann): Hello.\nCaller (bob): Me too.\nAgent: Hi."


class TestRecording:
    async def test_shows_the_latest(self, acme: Customer, database: Database, call: str) -> None:
        async with database.transaction() as tx:
            await tx.execute(
                recordings.insert().values(
                    id="rec_1",
                    call_id=call,
                    status="ready",
                    format="wav",
                    metadata={"stereo_mix": {"signed_url": "https://example.com/rec_1"}},
                    created_at=CLOCK.now(),
                )
            )
        answer = (await acme.get(f"/v1/calls/{call}/recording")).json()
        assert answer["call_id"] == call
        assert answer["recording"]["status"] == "ready"
        assert answer["recording"]["metadata"]["stereo_mix"]["signed_url"] == "https://example.com/rec_1"


class TestEvents:
    async def test_are_paged_oldest_first(self, acme: Customer, call: str) -> None:
        await acme.post(f"/v1/calls/{call}/end")
        page = (await acme.get(f"/v1/calls/{call}/events?limit=1&offset=1")).json()
        assert (page["total"], page["limit"], page["offset"]) == (2, 1, 1)
        (event,) = page["events"]
        assert (event["message"], event["call_id"], event["source"]) == ("Call ended", call, "lifecycle")
        assert event["created_at"].endswith("Z")


class TestReprocessing:
    async def test_queues_the_analysis_of_a_completed_call(self, acme: Customer, database: Database, call: str) -> None:
        await everybody_joins(database, call)
        await acme.post(f"/v1/calls/{call}/end")
        answer = await acme.post(f"/v1/calls/{call}/reprocess")
        assert answer.status_code == 202, answer.text
        assert answer.json()["status"] == "queued"
        assert answer.json()["message"] == "Post-call intelligence reprocessing has been queued."
        assert answer.json()["job_id"] in await jobs_in(database, "post_call")
        assert (await acme.get(f"/v1/calls/{call}")).json()["intelligence_status"] == "pending"

    async def test_refuses_a_call_that_goes_on(self, acme: Customer, call: str) -> None:
        answer = await acme.post(f"/v1/calls/{call}/reprocess")
        assert (answer.status_code, answer.json()["code"]) == (400, "call_not_completed")


class TestQueueStats:
    async def test_count_this_tenant_s_dial_jobs(self, acme: Customer, rival: Customer) -> None:
        agent = await acme.new_agent()
        people = [phone("+15551110001"), phone("+15551110002")]
        await acme.post("/v1/calls", {"agent_id": agent, "participants": people})
        stats = (await acme.get("/v1/calls/queue/stats")).json()
        assert stats == {"waiting": 2, "active": 0, "completed": 0, "failed": 0}
        assert (await rival.get("/v1/calls/queue/stats")).json()["waiting"] == 0


async def _analysed(
    database: Database, call: str, status: IntelligenceStatus = IntelligenceStatus.COMPLETED, **found: Any
) -> None:
    async with database.transaction() as tx:
        revision = await intelligence.begin(tx, CallId(call), {}, CLOCK.now())
        await intelligence.finish(tx, CallId(call), revision, status, CLOCK.now(), **found)
