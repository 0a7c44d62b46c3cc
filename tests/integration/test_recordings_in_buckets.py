"""Recordings that lie in S3: made, read and deleted there, also after it was away for a while."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.after_calls import RATE, ended_call, recorded, sound, working
from tests.support.asking import Customer, client_for, new_customer
from tests.support.storages import BUCKET, CREDENTIALS, Gate, moto, rclone
from tests.support.waiting import until

from rymi_server.foundation.database import Database

CONTENT = sound(2, people=[(0.2, 0.8)], agent=[(1.0, 1.6)])
STORAGES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "moto": lambda _: moto(),
    "rclone": lambda folder: rclone(folder / "buckets"),
}


# rclone sends the part that was asked for, and calls it a whole.
STATUS_OF_A_PART = {"moto": 206, "rclone": 200}


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(params=sorted(STORAGES))
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def gate(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with STORAGES[kind](tmp_path) as endpoint:
        gate = Gate(endpoint)
        await gate.open()
        yield gate
        await gate.shut()


class TestARecordingInABucket:
    async def test_is_made_once_the_storage_is_back_and_is_read_by_its_link(
        self, own_database: Database, gate: Gate, kind: str, tmp_path: Path
    ) -> None:
        where = {"storage_url": f"s3://{BUCKET}?endpoint={gate.endpoint}&region=us-east-1"}
        async with client_for(own_database, **where) as http:
            acme = await new_customer(own_database, http)
            call_id = await ended_call(own_database, acme, post_call={"recording": {"enabled": True}})
            await recorded(own_database, tmp_path, acme, call_id, CONTENT, **where)
            await gate.shut()
            async with working(own_database, tmp_path, **where):
                await until("the analysis", _analysed(acme, call_id), seconds=30)
                assert (await _recording(acme, call_id))["status"] == "pending"
                await gate.open()
                await until("the recording", _is_ready(acme, call_id), seconds=60)
                await self._is_read(acme, call_id, STATUS_OF_A_PART[kind])
                await self._is_deleted(acme, call_id)

    async def _is_read(self, customer: Customer, call_id: str, status: int) -> None:
        metadata = (await _recording(customer, call_id))["metadata"]
        async with httpx.AsyncClient() as anybody:
            whole = await anybody.get(metadata["stereo_mix"]["signed_url"])
            part = await anybody.get(metadata["stereo_mix"]["signed_url"], headers={"Range": "bytes=44-143"})
            outline = await anybody.get(metadata["peaks"]["signed_url"])
        assert whole.content[44:] == CONTENT
        assert metadata["duration_ms"] == len(CONTENT) * 1000 // (4 * RATE)
        assert (part.status_code, part.content) == (status, CONTENT[:100])
        assert outline.json()["channels"] == 2

    async def _is_deleted(self, customer: Customer, call_id: str) -> None:
        link = (await _recording(customer, call_id))["metadata"]["stereo_mix"]["signed_url"]
        assert (await customer.ask("DELETE", f"/v1/calls/{call_id}/recording")).status_code == 200

        async def is_gone() -> bool:
            async with httpx.AsyncClient() as anybody:
                return (await anybody.get(link)).status_code == 404

        await until("the file to be gone", is_gone, seconds=30)


async def _recording(customer: Customer, call_id: str) -> dict[str, Any]:
    answer = await customer.get(f"/v1/calls/{call_id}/recording")
    assert answer.status_code == 200, answer.text
    recording: dict[str, Any] = answer.json()["recording"]
    return recording


def _is_ready(customer: Customer, call_id: str) -> Callable[[], Awaitable[bool]]:
    async def is_ready() -> bool:
        return (await _recording(customer, call_id))["status"] == "ready"

    return is_ready


def _analysed(customer: Customer, call_id: str) -> Callable[[], Awaitable[bool]]:
    async def analysed() -> bool:
        return (await customer.get(f"/v1/calls/{call_id}")).json()["intelligence_status"] == "completed"

    return analysed
