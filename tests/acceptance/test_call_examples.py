"""The examples of the calls page, reproduced: a phone is called by a batch, and a model reads the call afterwards.

The model answers from a script, so what is found out is what the page shows, to the letter.
"""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest
from tests.support import call_examples as examples
from tests.support.call_examples import unlike
from tests.support.model_server import Asked, ModelServer, Say
from tests.support.up import Up
from tests.support.waiting import until
from tests.support.web_calls import customer_of

PATIENCE_SECONDS = 120
POST_CALL = {
    "recording": {"enabled": True},
    "summary": {"enabled": True},
    "structured_extraction": {
        "json_schema": {"type": "object", "properties": {"customer_intent": {"type": "string"}}},
    },
    "evaluation": {"criteria": "Was the issue resolved?"},
}
FOUND = examples.DETAIL["intelligence"]
LISTEN = {"do": "listen", "quiet_ms": 900, "patience_ms": 12_000}
ASKS = {"do": "say", "text": "I need a cleaning.", "voice": "en-us+f2"}
_numbers = itertools.count(140)


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(scope="module")
async def up(model: ModelServer) -> AsyncIterator[Up]:
    more = {"RYMI_AGENT_IDLE_PROCESSES": "1", "RYMI_ANALYSIS_MODEL": f"openai:{model.url}/v1#scripted"}
    up = Up(rooms=True, agents=True, phones=True, more_environment=more)
    up.start()
    try:
        await asyncio.to_thread(up.wait_until_ready, seconds=180)
        yield up
    finally:
        await asyncio.to_thread(up.stop)
        shutil.rmtree(up.folder)


@pytest.fixture
async def customer(up: Up) -> AsyncIterator[httpx.AsyncClient]:
    async with customer_of(up) as client:
        yield client


@pytest.fixture
def phone() -> str:
    """One that was never called: what an earlier try has left behind is not found by the next."""
    return f"+12025550{next(_numbers)}"


def answering(found: Mapping[str, Any]) -> Callable[[Asked], Say]:
    """A model that has read the call as in an example."""
    answers = {
        "summary": Say({"summary": found["summary"], "sentiment": found["sentiment"]}),
        "customer_intent": Say(FOUND["structured_data"]),
        "passed": Say(FOUND["evaluation"]),
    }

    def answer(asked: Asked) -> Say:
        (part,) = asked.fields & answers.keys()
        return answers[part]

    return answer


async def a_phone_is_called(up: Up, customer: httpx.AsyncClient, phone: str) -> str:
    """It answers, hears the greeting, says what it wants, hears an answer and hangs up."""
    async with httpx.AsyncClient(base_url=up.box_url, timeout=30) as box:
        moves = [LISTEN, ASKS, LISTEN, {"do": "wait", "ms": 1_000}]
        scripted = await box.put(f"/control/scripts/{phone}", json={"moves": moves, "ring_ms": 300})
        assert scripted.status_code == 204, scripted.text
    body = {"agent_id": up.agent(), "to": [phone], "batch_id": "batch_1710", "post_call": POST_CALL}
    answer = await customer.post("/v1/calls/batch", json=body)
    assert answer.status_code == 202, answer.text
    call_id: str = answer.json()["calls"][0]["id"]
    return call_id


async def got(customer: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await customer.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def has(customer: httpx.AsyncClient, path: str, is_there: Callable[[dict[str, Any]], bool]) -> Any:
    async def there() -> bool:
        return is_there(await got(customer, path))

    return there


def all_there(call: dict[str, Any]) -> bool:
    """What comes after it has been announced."""
    return call["intelligence_status"] == "completed" and (call["recording"] or {}).get("status") == "ready"


async def becomes(customer: httpx.AsyncClient, path: str, what: str, is_true: Callable[[], Awaitable[bool]]) -> None:
    try:
        await until(what, is_true, seconds=PATIENCE_SECONDS)
    except AssertionError as error:
        error.add_note(f"the call: {await got(customer, path)}")
        error.add_note(f"its events: {(await got(customer, f'{path}/events'))['events']}")
        raise


class TestACallOfAPhone:
    async def test_leaves_the_examples_of_the_page(
        self, up: Up, model: ModelServer, customer: httpx.AsyncClient, phone: str
    ) -> None:
        model.otherwise = answering(FOUND)
        call_id = await a_phone_is_called(up, customer, phone)
        path = f"/v1/calls/{call_id}"
        await becomes(
            customer, path, "the call to be held", has(customer, "/v1/calls/active", lambda page: bool(page["calls"]))
        )
        assert (await got(customer, "/v1/calls/active"))["calls"][0]["id"] == call_id
        await becomes(customer, path, "the call to leave everything", has(customer, path, all_there))
        await self._detail(customer, path)
        await self._listed(customer, call_id, phone)
        await self._events(customer, path)
        await self._parts(customer, path)
        await self._again(customer, model, path)

    async def _detail(self, customer: httpx.AsyncClient, path: str) -> None:
        call = await got(customer, path)
        assert not unlike(examples.DETAIL, call)
        assert {name: call["intelligence"][name] for name in FOUND} == FOUND
        assert (call["status"], call["intelligence_status"]) == ("completed", "completed")
        assert call["bill_duration"] > 0
        assert call["total_cost"] > 0
        assert call["transcript"]["text"].splitlines()[0].startswith(("Agent: ", "Caller: "))
        assert {line["speaker"] for line in call["transcript"]["segments"]} == {"user", "agent"}
        (leg,) = [each["telephony_leg"] for each in call["participants"] if each["transport"] == "pstn"]
        assert leg["status"] == "completed"

    async def _listed(self, customer: httpx.AsyncClient, call_id: str, phone: str) -> None:
        page = await got(customer, "/v1/calls?limit=50&status=completed")
        assert not unlike(examples.LIST, page)
        around = {"total": len(page["calls"]), "limit": 50, "offset": 0, "next_cursor": None}
        assert {name: page[name] for name in around} == around
        call = page["calls"][0]
        assert (call["id"], call["room_name"]) == (call_id, f"call_{call_id}")
        assert call["metadata"] == {"batch_id": "batch_1710"}
        assert call["participant_count"] == 1
        assert call["primary_participant"] == {"identity": phone, "transport": "pstn"}
        assert call["intelligence_status"] == "completed"

    async def _events(self, customer: httpx.AsyncClient, path: str) -> None:
        page = await got(customer, f"{path}/events?limit=20")
        assert not unlike(examples.EVENTS, page)
        assert page["total"] == len(page["events"])
        said = [(each["level"], each["source"], each["message"]) for each in page["events"]]
        expected = [(each["level"], each["source"], each["message"]) for each in examples.EVENTS["events"]]
        assert [each for each in said if each in expected] == expected

    async def _parts(self, customer: httpx.AsyncClient, path: str) -> None:
        transcript = await got(customer, f"{path}/transcript")
        assert not unlike(examples.TRANSCRIPT, transcript)
        recording = await got(customer, f"{path}/recording")
        assert not unlike(examples.RECORDING, recording)
        assert (recording["recording"]["status"], recording["recording"]["format"]) == ("ready", "wav")
        stats = await got(customer, "/v1/calls/queue/stats")
        assert not unlike(examples.QUEUE_STATS, stats)
        assert (stats["waiting"], stats["active"], stats["failed"]) == (0, 0, 0)
        assert stats["completed"] >= 1

    async def _again(self, customer: httpx.AsyncClient, model: ModelServer, path: str) -> None:
        """The page's summary is another one than the one in its detail: that of a second reading."""
        model.otherwise = answering(examples.SUMMARY)
        answer = await customer.post(f"{path}/reprocess")
        assert answer.status_code == 202
        assert answer.json() == {**examples.REPROCESSED, "job_id": answer.json()["job_id"]}
        await becomes(
            customer,
            path,
            "the second reading",
            has(customer, f"{path}/summary", lambda shown: bool(shown == examples.SUMMARY)),
        )
        second = (await got(customer, path))["intelligence"]
        assert {**second, **FOUND, **examples.SUMMARY} == second
