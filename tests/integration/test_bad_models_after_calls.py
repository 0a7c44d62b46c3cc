"""A model that is asked after a call and is of no use: the call says so, and loses nothing else of what it leaves."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.support.after_calls import Receiver, ended_call, finished, receiver, recorded, sound, webhook, working
from tests.support.asking import Customer, client_for, new_customer
from tests.support.model_server import ModelServer, Say
from tests.support.waiting import until

from rymi_server.foundation.database import Database

WANTED = {
    "recording": {"enabled": True},
    "summary": {"enabled": True},
    "structured_extraction": {"json_schema": {"type": "object", "properties": {"booked": {"type": "boolean"}}}},
    "evaluation": {"criteria": "Was an appointment booked?"},
}
TOLD = ["call.completed", "call.intelligence.ready", "call.recording.ready"]


@pytest.fixture
async def api(own_database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    store = (tmp_path / "storage").as_uri()
    async with client_for(own_database, storage_url=store, allow_private_webhooks=True) as client:
        yield client


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


class TestAModel:
    @pytest.mark.parametrize(
        ("answers", "code"),
        [
            (Say("I would rather talk about the weather."), "model_nonsense"),
            (Say(raw=b"<!doctype html><html><body>It works!</body></html>"), "model_failed"),
            (Say(raw=b""), "model_failed"),
            (Say(breaks_off=True), "model_failed"),
            (Say(hangs=True), "model_failed"),
        ],
        ids=["nonsense", "HTML", "nothing", "half an answer", "silence"],
    )
    async def test_that_is_of_no_use_costs_the_analysis_alone(
        self,
        own_database: Database,
        api: httpx.AsyncClient,
        server: ModelServer,
        tmp_path: Path,
        answers: Say,
        code: str,
    ) -> None:
        server.otherwise = lambda _: answers
        model = {"analysis_model": f"openai:{server.url}/v1#scripted", "analysis_timeout_seconds": 0.3}
        acme = await new_customer(own_database, api)
        async with receiver() as hook, working(own_database, tmp_path, **model):
            await webhook(acme, hook.url, *TOLD)
            call_id = await ended_call(own_database, acme, post_call=WANTED)
            await recorded(own_database, tmp_path, acme, call_id, sound(1, people=[(0.2, 0.8)]))
            await finished(own_database, call_id, seconds=60)
            await until("everything to be told", lambda: _all_told(hook))
        await self._says_what_failed(acme, call_id, code)
        await self._lost_nothing(acme, call_id, hook)

    async def _says_what_failed(self, customer: Customer, call_id: str, code: str) -> None:
        call = (await customer.get(f"/v1/calls/{call_id}")).json()
        found = call["intelligence"]
        assert (call["intelligence_status"], found["status"]) == ("failed", "failed")
        assert (found["summary"], found["structured_data"], found["evaluation"]) == (None, None, None)
        assert {error["part"] for error in found["errors"]} >= {"summary", "structured_data", "evaluation"}
        assert {error["code"] for error in found["errors"]} == {code}
        assert all(error["message"] and error["fatal"] for error in found["errors"])
        assert "Post-call analysis failed." in [event["message"] for event in call["events"]]

    async def _lost_nothing(self, customer: Customer, call_id: str, hook: Receiver) -> None:
        call = (await customer.get(f"/v1/calls/{call_id}")).json()
        assert call["transcript"]["text"].startswith("Caller: Hello")
        assert (call["recording"]["status"], call["bill_duration"]) == ("ready", 90)
        billed = (await customer.get("/v1/billing/transactions")).json()["transactions"]
        assert [each["call_id"] for each in billed].count(call_id) == 1
        assert set(Counter(each.json["id"] for each in hook.got).values()) == {1}
        assert sorted(hook.events) == TOLD
        (told,) = [each.json["data"] for each in hook.got if each.event == "call.intelligence.ready"]
        assert (told["intelligence_status"], told["summary"]) == ("failed", None)


async def _all_told(hook: Receiver) -> bool:
    return len(hook.got) >= len(TOLD)
