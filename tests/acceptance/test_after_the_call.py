"""Every example of what a call leaves behind, from a call that was really held in a room, offline."""

import io
import shutil
import wave
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support import call_examples as examples
from tests.support.after_calls import Receiver, receiver
from tests.support.asking import web
from tests.support.call_examples import unlike
from tests.support.up import Up
from tests.support.waiting import until
from tests.support.web_calls import PATIENCE_SECONDS, WebCall, customer_of

# The seed's override, with what the demo agent's dialogue can answer.
POST_CALL = {
    "recording": {"enabled": True},
    "summary": {"enabled": True},
    "structured_extraction": {
        "json_schema": {
            "type": "object",
            "properties": {"booked_appointment": {"type": "boolean"}, "preferred_date": {"type": "string"}},
        }
    },
    "evaluation": {"criteria": "Did the agent successfully book an appointment?"},
}
_ASKED_FOR = {"booked_appointment": True, "preferred_date": "Tuesday at ten"}
DETAIL = {**examples.DETAIL, "intelligence": {**examples.DETAIL["intelligence"], "structured_data": _ASKED_FOR}}
LIST = {**examples.LIST, "calls": [{**examples.LIST["calls"][0], "metadata": {"source": "sdk"}}]}
# How far apart the trace of the turns and the sound of the recording may put the gap that a caller waits.
_AGREE_WITHIN_MS = 100
TOLD = ["call.started", "participant.joined", "participant.left", "call.recording.ready"]
TOLD += ["call.completed", "call.intelligence.ready"]


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    more = {"RYMI_AGENT_IDLE_PROCESSES": "1", "RYMI_ALLOW_PRIVATE_WEBHOOKS": "true"}
    up = Up(rooms=True, agents=True, more_environment=more)
    up.start()
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@pytest.fixture
async def customer(up: Up) -> AsyncIterator[httpx.AsyncClient]:
    async with customer_of(up) as client:
        yield client


async def held(up: Up, customer: httpx.AsyncClient) -> WebCall:
    """A question, an answer, and an end by the API."""
    agent_id = up.agent()
    body = {"agent_id": agent_id, "participants": [web("browser-tab-1")], "post_call": POST_CALL}
    made = await customer.post("/v1/calls", json={**body, "metadata": {"source": "sdk"}})
    assert made.status_code == 201, made.text
    call = WebCall(customer, made.json())
    ann = await call.enter("browser-tab-1", "slt")
    await call.agent_answers_beyond(0)
    await ann.is_left_in_peace()
    answers = len(await call.said_by(None))
    await ann.says("How much is a cleaning?")
    await call.agent_answers_beyond(answers)
    await ann.is_left_in_peace()
    ended = await customer.post(f"/v1/calls/{call.id}/end")
    assert not unlike(examples.ENDED, ended.json())
    assert (ended.json()["status"], ended.json()["message"]) == ("ended", "Call has been terminated.")
    await call.becomes("the call to be completed", "completed")
    return call


async def alike(customer: httpx.AsyncClient, path: str, example: dict[str, Any], *may_be_null: str) -> dict[str, Any]:
    """An answer that has every field of the example, each of its kind."""
    found = await got(customer, path)
    assert not unlike(example, found, "", frozenset(may_be_null))
    return found


async def got(customer: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await customer.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def has(hook: Receiver, count: int) -> Any:
    async def enough() -> bool:
        return len(hook.got) >= count

    return enough


class TestARealCall:
    async def test_leaves_behind_what_the_api_promises(self, up: Up, customer: httpx.AsyncClient) -> None:
        async with receiver() as hook:
            endpoint = {"url": hook.url, "events": TOLD, "secret": "a secret of the tests"}
            assert (await customer.post("/v1/webhooks", json=endpoint)).status_code == 201
            call = await held(up, customer)
            await until("everything to be told", has(hook, len(TOLD)), seconds=PATIENCE_SECONDS)
            await self._is_told(hook)
            path = f"/v1/calls/{call.id}"
            await self._examples(customer, path)
            await self._transcript(customer, path)
            await self._intelligence(customer, path)
            await self._recording(customer, path)
            await self._events(customer, path)
            await self._quality(customer, path)
            self._replay(up, call.id)
            await self._list(customer, call.id)
            await self._again(customer, path, hook)
            await self._deletion(customer, path)

    async def _examples(self, customer: httpx.AsyncClient, path: str) -> None:
        """The reference's own, field for field. No rule knows some of the values."""
        found = [".intelligence.structured_data.preferred_date", ".intelligence.structured_data.booked_appointment"]
        judged = [".intelligence.evaluation.passed", ".intelligence.evaluation.score"]
        await alike(customer, path, DETAIL, *found, *judged)
        await alike(customer, f"{path}/summary", examples.SUMMARY)
        await alike(customer, f"{path}/transcript", examples.TRANSCRIPT)
        shown = await alike(customer, f"{path}/recording", examples.RECORDING)
        assert path.endswith(shown["call_id"])
        events = await alike(customer, f"{path}/events?limit=20", examples.EVENTS)
        assert (events["offset"], events["limit"]) == (0, 20)
        listed = await alike(customer, "/v1/calls?limit=50&status=completed", LIST)
        assert (listed["total"], listed["limit"], listed["offset"]) == (len(listed["calls"]), 50, 0)
        assert listed["next_cursor"] is None
        assert listed["calls"][0]["room_name"] == f"call_{listed['calls'][0]['id']}"

    async def _is_told(self, hook: Receiver) -> None:
        assert sorted(hook.events) == sorted(TOLD)
        assert hook.events[-2:] == ["call.completed", "call.intelligence.ready"]
        assert not unlike(examples.TOLD, hook.got[-1].json)
        data = hook.got[-1].json["data"]
        assert (data["status"], data["intelligence_status"], data["metadata"]["source"]) == (
            "completed",
            "completed",
            "sdk",
        )
        assert data["duration"] > 0
        assert data["transcript"]["text"].count("Agent: ") >= 2

    async def _transcript(self, customer: httpx.AsyncClient, path: str) -> None:
        found = await got(customer, f"{path}/transcript")
        assert [line["sequence"] for line in found["segments"]] == list(range(len(found["segments"])))
        assert {line["speaker"] for line in found["segments"]} == {"user", "agent"}
        begun = [line["started_at_ms"] for line in found["segments"]]
        assert begun == sorted(begun)
        for line in found["transcript"]:
            assert line["is_final"]
            assert line["source"] == "runtime"
            assert line["type"] == {"user": "user_input", "agent": "ai_response"}[line["speaker"]]
            assert line["response"] == line["text"]
        assert "Caller: " in found["text"]

    async def _intelligence(self, customer: httpx.AsyncClient, path: str) -> None:
        summary = await got(customer, f"{path}/summary")
        assert summary["status"] == "completed"
        assert summary["summary"]
        assert summary["sentiment"] in ("positive", "neutral", "negative")
        call = await got(customer, path)
        assert call["intelligence_status"] == call["intelligence"]["status"] == "completed"
        assert set(call["intelligence"]["structured_data"]) == {"booked_appointment", "preferred_date"}
        assert set(call["intelligence"]["evaluation"]) >= {"passed", "score", "reasoning"}
        assert call["intelligence"]["details"]["methods"]
        assert call["bill_duration"] > 0
        assert call["total_cost"] > 0

    async def _recording(self, customer: httpx.AsyncClient, path: str) -> None:
        recording = (await got(customer, f"{path}/recording"))["recording"]
        assert (recording["status"], recording["format"]) == ("ready", "wav")
        link = recording["metadata"]["stereo_mix"]["signed_url"]
        async with httpx.AsyncClient() as anybody:
            sound = (await anybody.get(link)).content
            part = await anybody.get(link, headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"RIFF")
        with wave.open(io.BytesIO(sound)) as file:
            assert (file.getnchannels(), file.getframerate()) == (2, 16_000)
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        assert np.abs(samples).max(axis=0).min() > 500, "somebody is not to be heard"
        call = await got(customer, path)
        last = max(line["ended_at_ms"] for line in call["transcript"]["segments"])
        assert recording["metadata"]["duration_ms"] >= last - 500

    async def _events(self, customer: httpx.AsyncClient, path: str) -> None:
        events = (await got(customer, f"{path}/events?limit=200"))["events"]
        said = [(each["level"], each["source"], each["message"]) for each in events]
        assert said[0] == ("info", "lifecycle", "Call created")
        assert said.count(("info", "post_call", "Post-call analysis completed.")) == 1
        assert said.count(("info", "post_call", "Recording is ready")) == 1

    async def _quality(self, customer: httpx.AsyncClient, path: str) -> None:
        quality = await got(customer, f"{path}/quality")
        assert quality["recorded"]
        assert quality["summary"]["turns"] >= 1
        assert quality["turns"][0]["engine"]["mode"]
        apart = quality["summary"]["disagreement_ms"]
        assert apart is not None, "no turn is both in the trace and to be heard"
        assert apart["p50"] <= _AGREE_WITHIN_MS, quality

    def _replay(self, up: Up, call_id: str) -> None:
        """As its operator types it."""
        replayed = up.command("replay", call_id, "--turn-detector", "sensitive")
        assert replayed.returncode == 0, replayed.stderr
        assert "As it was, and with sensitive (" in replayed.stdout
        assert " ms " in replayed.stdout, "no turn was found again"
        assert "False starts that would have been dropped" in replayed.stdout

    async def _list(self, customer: httpx.AsyncClient, call_id: str) -> None:
        (listed,) = [each for each in (await got(customer, "/v1/calls"))["calls"] if each["id"] == call_id]
        assert listed["intelligence_status"] == "completed"
        assert listed["participant_count"] == 1
        assert listed["primary_participant"] == {"identity": "browser-tab-1", "transport": "webrtc"}

    async def _again(self, customer: httpx.AsyncClient, path: str, hook: Receiver) -> None:
        told = len(hook.got)
        answer = await customer.post(f"{path}/reprocess")
        assert answer.status_code == 202
        assert not unlike(examples.REPROCESSED, answer.json())
        assert answer.json()["message"] == "Post-call intelligence reprocessing has been queued."
        await until("the second analysis to be told", has(hook, told + 1), seconds=PATIENCE_SECONDS)
        assert hook.events[told:] == ["call.intelligence.ready"]
        assert (await got(customer, f"{path}/summary"))["status"] == "completed"

    async def _deletion(self, customer: httpx.AsyncClient, path: str) -> None:
        link = (await got(customer, f"{path}/recording"))["recording"]["metadata"]["stereo_mix"]["signed_url"]
        assert (await customer.request("DELETE", f"{path}/recording")).json()["status"] == "deleted"
        assert (await customer.get(f"{path}/recording")).status_code == 404

        async def gone() -> bool:
            async with httpx.AsyncClient() as anybody:
                return (await anybody.get(link)).status_code == 404

        await until("the file to be gone", gone, seconds=PATIENCE_SECONDS)
