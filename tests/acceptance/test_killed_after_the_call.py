"""A worker that is killed before and after every step after a call: nothing is lost, nothing happens twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.after_calls import ended_call, receiver, recorded, settings_with, sound, webhook
from tests.support.asking import SECRET, client_for, new_customer
from tests.support.dying_worker import MOMENTS
from tests.support.waiting import until

from rymi_server.foundation.database import Database

# What happened since the endpoint was registered.
TOLD = ["participant.left", "call.recording.ready", "call.completed", "call.intelligence.ready"]


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


def environment(database: Database, folder: Path) -> dict[str, str]:
    (folder / "deaths").mkdir(exist_ok=True)
    settings = settings_with(database, folder)
    return {
        **os.environ,
        "DATABASE_URL": database.url,
        "RYMI_SECRET": SECRET,
        "STORAGE_URL": settings.storage_url,
        "RYMI_ALLOW_PRIVATE_WEBHOOKS": "true",
        "RYMI_WORKER_PORT": "0",
        "LIVEKIT_URL": "ws://127.0.0.1:1",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "a-livekit-secret-for-tests-0123456789",
        "DEATHS": str(folder / "deaths"),
    }


class TestAWorkerKilledAtEveryStep:
    async def test_loses_nothing_and_does_nothing_twice(self, own_database: Database, tmp_path: Path) -> None:
        async with client_for(own_database, allow_private_webhooks=True) as http, receiver() as hook:
            acme = await new_customer(own_database, http)
            await webhook(acme, hook.url, *TOLD)
            call_id = await ended_call(own_database, acme, post_call={"recording": {"enabled": True}})
            await recorded(own_database, tmp_path, acme, call_id, sound(2, people=[(0.2, 0.8)], agent=[(1.0, 1.5)]))
            deaths = await lived_through(environment(own_database, tmp_path), lambda: told(hook.events))
            call = (await acme.get(f"/v1/calls/{call_id}")).json()
            billed = (await acme.get("/v1/billing/transactions?limit=200")).json()

        assert deaths == set(MOMENTS)
        assert (call["recording"]["status"], call["intelligence_status"]) == ("ready", "completed")
        said = Counter(event["message"] for event in call["events"] if event["source"] == "post_call")
        assert {count for message, count in said.items() if "analysis:" not in message} == {1}, said
        assert said["Post-call analysis completed."] == 1
        charges = [each for each in billed["transactions"] if each.get("call_id") == call_id]
        assert len(charges) == 1, billed
        ids = Counter(each.json["id"] for each in hook.got)
        assert set(ids.values()) == {1}, ids
        # A recording that is late, because of all this dying, is told by itself.
        assert sorted(hook.events) == sorted(TOLD)


def told(events: list[str]) -> bool:
    return set(events) >= set(TOLD)


async def lived_through(environment: dict[str, str], enough) -> set[str]:  # type: ignore[no-untyped-def]
    """Start workers until one lives and everything is told. The moments that they died of."""
    for _ in range(2 * len(MOMENTS)):
        worker = subprocess.Popen(  # noqa: ASYNC220 - Starting it takes no time.
            [sys.executable, "-m", "tests.support.dying_worker"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        async def dead_or_done(worker: subprocess.Popen[bytes] = worker) -> bool:
            return worker.poll() is not None or (enough() and deaths(environment) == set(MOMENTS))

        left = sorted(set(MOMENTS) - deaths(environment))
        try:
            await until(f"a worker to die or to finish; left to die of: {left}", dead_or_done, seconds=120)
        finally:
            if worker.poll() is None:
                worker.terminate()
                await asyncio.to_thread(worker.wait)
        assert worker.returncode in (0, -signal.SIGKILL, -signal.SIGTERM)
        if worker.returncode != -signal.SIGKILL:
            break
    return deaths(environment)


def deaths(environment: dict[str, str]) -> set[str]:
    return {path.name for path in Path(environment["DEATHS"]).iterdir()}
