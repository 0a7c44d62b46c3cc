"""A worker that is killed before, after and within the steps after a call: nothing is lost or happens twice."""

import asyncio
import contextlib
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import sqlalchemy as sa
from tests.support.after_calls import (
    Receiver,
    ended_call,
    receiver,
    recorded,
    settings_with,
    sound,
    webhook,
)
from tests.support.asking import SECRET, Customer, client_for, new_customer
from tests.support.dying_worker import MOMENTS
from tests.support.storages import BUCKET, CREDENTIALS, Gate, moto
from tests.support.up import children_of, is_alive
from tests.support.waiting import until

from rymi_server.foundation.database import Database
from rymi_server.recordings.deposit import folder_of

# What happened since the endpoint was registered.
TOLD = ["participant.left", "call.recording.ready", "call.completed", "call.intelligence.ready"]
RECORDED = {"post_call": {"recording": {"enabled": True}}}
PATIENCE_SECONDS = 120
# One announcement comes late on purpose, for when no other came.
_TO_DO = sa.text("""
    select count(*) from bullmq.job where queue in ('post_call', 'encode', 'facts', 'webhooks')
    and state in ('waiting', 'active', 'delayed') and id not like 'announce-late-%'
""")


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """What a worker of this test is told, with a disk of its own for what it works at."""
    for name in ("deaths", "tmp"):
        (tmp_path / name).mkdir()
    return {
        **os.environ,
        "RYMI_SECRET": SECRET,
        "RYMI_ALLOW_PRIVATE_WEBHOOKS": "true",
        "RYMI_WORKER_PORT": "0",
        "LIVEKIT_URL": "ws://127.0.0.1:1",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": "a-livekit-secret-for-tests-0123456789",
        "DEATHS": str(tmp_path / "deaths"),
        "TAPE": str(tmp_path / "tape"),
        "TMPDIR": str(tmp_path / "tmp"),
        **CREDENTIALS,
    }


@contextlib.asynccontextmanager
async def killed_at_last(worker: subprocess.Popen[bytes]) -> AsyncIterator[subprocess.Popen[bytes]]:
    try:
        yield worker
    finally:
        worker.kill()
        await asyncio.to_thread(worker.wait)


def started(module: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (Path(environment["TMPDIR"]).parent / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=log, stderr=log)


class TestAWorkerKilledAtEveryStep:
    async def test_loses_nothing_and_does_nothing_twice(
        self, own_database: Database, tmp_path: Path, machine: dict[str, str]
    ) -> None:
        store = (tmp_path / "storage").as_uri()
        environment = {**machine, "DATABASE_URL": own_database.url, "STORAGE_URL": store}
        async with client_for(own_database, storage_url=store, allow_private_webhooks=True) as http, receiver() as hook:
            acme = await new_customer(own_database, http)
            await webhook(acme, hook.url, *TOLD)
            call_id = await ended_call(own_database, acme, **RECORDED)
            await recorded(own_database, tmp_path, acme, call_id, sound(2, people=[(0.2, 0.8)], agent=[(1.0, 1.5)]))
            deaths = await lived_through(own_database, environment, lambda: told(hook.events))
            await everything_once(acme, call_id, hook)
            copy = await opus_copy(acme, call_id)

        assert deaths == set(MOMENTS)
        assert heard_ms(copy) == pytest.approx(2_000, abs=50)


class TestAWorkerKilledWhileItMakesTheOpusCopy:
    """Not between two steps but within one: the copy is half made, or half stored."""

    async def test_makes_it_again_once_it_is_back(
        self, own_database: Database, tmp_path: Path, machine: dict[str, str]
    ) -> None:
        store = (tmp_path / "storage").as_uri()
        environment = {**machine, "DATABASE_URL": own_database.url, "STORAGE_URL": store}
        async with long_call(own_database, tmp_path, store) as (acme, call_id, hook):
            async with killed_at_last(started("tests.support.tape_worker", environment)) as worker:
                encoder = await encoder_of(worker)
                worker.kill()
            await until("the encoder to be gone with its worker", dead(encoder))
            assert "opus" not in (await recording_of(acme, call_id))["metadata"]
            assert left_in(machine, "rymi-recording-*/stereo.wav"), "it was not at work"
            async with killed_at_last(started("tests.support.tape_worker", environment)):
                await until("the Opus copy", has_copy(acme, call_id), seconds=PATIENCE_SECONDS)
                await until("all jobs to be done", nothing_to_do(own_database), seconds=PATIENCE_SECONDS)
            await everything_once(acme, call_id, hook)
            assert heard_ms(await opus_copy(acme, call_id)) == pytest.approx(LONG_MS, abs=50)
        assert not left_in(machine, "rymi-*"), "somebody's voice was left on the disk"

    async def test_stores_it_again_where_only_half_of_it_got_through(
        self, own_database: Database, tmp_path: Path, machine: dict[str, str], credentials: None
    ) -> None:
        with moto() as endpoint:
            gate = Gate(endpoint)
            await gate.open()
            store = f"s3://{BUCKET}?endpoint={gate.endpoint}&region=us-east-1"
            environment = {**machine, "DATABASE_URL": own_database.url, "STORAGE_URL": store}
            async with long_call(own_database, tmp_path, store) as (acme, call_id, hook):
                gate.get_stuck(b"PUT /" + f"{BUCKET}/{folder_of(acme.tenant.id, call_id)}stereo.ogg".encode())
                async with killed_at_last(started("tests.support.tape_worker", environment)) as worker:
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await gate.got_stuck.wait()
                    worker.kill()
                gate.get_stuck(None)
                storage = settings_with(own_database, tmp_path, storage_url=store).storage()
                assert await storage.size(f"{folder_of(acme.tenant.id, call_id)}stereo.ogg") is None
                assert "opus" not in (await recording_of(acme, call_id))["metadata"]
                async with killed_at_last(started("tests.support.tape_worker", environment)):
                    await until("the Opus copy", has_copy(acme, call_id), seconds=PATIENCE_SECONDS)
                    await until("all jobs to be done", nothing_to_do(own_database), seconds=PATIENCE_SECONDS)
                await everything_once(acme, call_id, hook)
                assert heard_ms(await opus_copy(acme, call_id)) == pytest.approx(LONG_MS, abs=50)
            await gate.shut()


LONG_MS = 240_000


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@contextlib.asynccontextmanager
async def long_call(database: Database, folder: Path, store: str) -> AsyncIterator[tuple[Customer, str, Receiver]]:
    """One that has just ended, with so much sound that a copy of it takes a moment."""
    content = sound(4, people=[(0.2, 1.8)], agent=[(2.0, 3.5)]) * (LONG_MS // 4_000)
    async with client_for(database, storage_url=store, allow_private_webhooks=True) as http, receiver() as hook:
        acme = await new_customer(database, http)
        await webhook(acme, hook.url, *TOLD)
        call_id = await ended_call(database, acme, **RECORDED)
        await recorded(database, folder, acme, call_id, content, storage_url=store)
        yield acme, call_id, hook


async def everything_once(customer: Customer, call_id: str, hook: Receiver) -> None:
    """What the call leaves behind, billed and told."""
    call = (await customer.get(f"/v1/calls/{call_id}")).json()
    assert (call["recording"]["status"], call["intelligence_status"]) == ("ready", "completed")
    said = Counter(event["message"] for event in call["events"] if event["source"] == "post_call")
    assert {count for message, count in said.items() if "analysis:" not in message} == {1}, said
    assert said["Post-call analysis completed."] == 1
    billed = (await customer.get("/v1/billing/transactions?limit=200")).json()
    assert [each.get("call_id") for each in billed["transactions"]].count(call_id) == 1, billed
    # A worker that is killed while it delivers cannot know whether it was heard, and says the very same again.
    told_of = {each.json["id"]: (each.event, each.headers["x-rymi-delivery"], each.body) for each in hook.got}
    assert all(told_of[each.json["id"]][1:] == (each.headers["x-rymi-delivery"], each.body) for each in hook.got)
    # A recording that is late, because of all this dying, is told by itself.
    assert sorted(event for event, _, _ in told_of.values()) == sorted(TOLD)


def told(events: list[str]) -> bool:
    return set(events) >= set(TOLD)


async def lived_through(database: Database, environment: dict[str, str], enough: Callable[[], bool]) -> set[str]:
    """Let one worker after the other live until one stays alive and everything is done. The moments they died of."""
    nothing_left = nothing_to_do(database)
    async with killed_at_last(started("tests.support.dying_worker", environment)) as workers:

        async def done() -> bool:
            assert workers.poll() is None, "a worker ended otherwise, or too many have died"
            return enough() and deaths(environment) == set(MOMENTS) and await nothing_left()

        await until("all deaths to be died, and everything to be done", done, seconds=3 * PATIENCE_SECONDS)
    return deaths(environment)


def deaths(environment: dict[str, str]) -> set[str]:
    return {path.name for path in Path(environment["DEATHS"]).iterdir()}


def nothing_to_do(database: Database) -> Callable[[], Awaitable[bool]]:
    async def nothing() -> bool:
        async with database.transaction() as tx:
            return (await tx.execute(_TO_DO)).scalar_one() == 0

    return nothing


def left_in(machine: dict[str, str], names: str) -> list[Path]:
    """On the disk of its worker, of what it works at."""
    return list(Path(machine["TMPDIR"]).glob(names))


async def encoder_of(worker: subprocess.Popen[bytes]) -> int:
    """The process in which the worker has the copy made, once it is at work."""
    found: list[int] = []

    async def at_work() -> bool:
        assert worker.poll() is None, "the worker ended by itself"
        found[:] = [pid for pid in children_of(worker.pid) if b"rymi_server.recordings.opus" in words_of(pid)]
        return bool(found)

    await until("the worker to make an Opus copy", at_work, seconds=PATIENCE_SECONDS)
    return found[0]


def words_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def dead(pid: int) -> Callable[[], Awaitable[bool]]:
    async def is_dead() -> bool:
        return not is_alive(pid)

    return is_dead


async def recording_of(customer: Customer, call_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await customer.get(f"/v1/calls/{call_id}/recording")).json()["recording"]
    return found


def has_copy(customer: Customer, call_id: str) -> Callable[[], Awaitable[bool]]:
    async def has() -> bool:
        return "opus" in (await recording_of(customer, call_id))["metadata"]

    return has


async def opus_copy(customer: Customer, call_id: str) -> bytes:
    """As whoever has its link gets it."""
    about = (await recording_of(customer, call_id))["metadata"]["opus"]
    if about["signed_url"].startswith("http://127.0.0.1"):
        async with httpx.AsyncClient() as anybody:
            answer = await anybody.get(about["signed_url"])
    else:
        answer = await customer.http.get(about["signed_url"])
    assert (answer.status_code, len(answer.content)) == (200, about["bytes"])
    return answer.content


def heard_ms(copy: bytes) -> float:
    """Decoded from its first page to its last."""
    with av.open(io.BytesIO(copy)) as file:
        (stream,) = file.streams
        assert (stream.codec_context.name, stream.codec_context.layout.name) == ("opus", "stereo")
        return sum(frame.samples for frame in file.decode(audio=0)) / 48
