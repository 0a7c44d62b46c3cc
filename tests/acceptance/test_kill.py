"""Whoever is killed, whenever: no accepted call is lost, and no leg is dialed twice.

`docs/explanations/failures.md` says why.
"""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import psycopg
import pytest
from tests.support.tape import TapeCarriers, dialed
from tests.support.up import Up, kill
from tests.support.waiting import wait_for

from rymi_server.foundation.database import Database
from rymi_server.foundation.postgres_supervisor import PostgresServer
from rymi_server.telephony.leg_watch import LegWatch

ACCEPTED = 202


@dataclass
class Stream:
    """Somebody who keeps on creating phone calls, and remembers which were accepted."""

    up: Up
    key: str
    agent: str
    accepted: list[str] = field(default_factory=list)
    _enough: threading.Event = field(default_factory=threading.Event)
    # Each call rings another number: of two calls to one number nobody could say which is whose.
    _numbers: Iterator[int] = field(default_factory=lambda: count(2_000))

    def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.up.url, headers=headers, timeout=20) as http:
            while not self._enough.is_set():
                try:
                    answer = http.post("/v1/calls", json=self._call())
                except httpx.TransportError:
                    self._enough.wait(0.02)
                    continue
                if answer.status_code == ACCEPTED:
                    self.accepted.append(answer.json()["id"])

    def _call(self) -> dict[str, object]:
        return {
            "agent_id": self.agent,
            "participants": [{"transport": "pstn", "identity": f"+1202555{next(self._numbers)}"}],
        }

    def end(self) -> None:
        self._enough.set()

    def wait_for_more(self, calls: int) -> None:
        enough = len(self.accepted) + calls
        wait_for(f"{calls} more accepted calls", lambda: len(self.accepted) >= enough, seconds=60)


class AMinuteLater:
    """When the sweep looks at what nothing was heard of."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=90)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    up = Up(module="tests.support.tape_up", arguments=())
    up.more_environment = {"TAPE": str(up.folder / "tape")}
    up.start()
    try:
        up.wait_until_ready()
        assert up.command("credits", "add", "10000", "--tenant", "Demo").returncode == 0
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@pytest.fixture
def stream(up: Up) -> Iterator[Stream]:
    stream = Stream(up, up.key(), up.agent())
    threads = [threading.Thread(target=stream.run) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield stream
    stream.end()
    for thread in threads:
        thread.join()


def database_url(up: Up) -> str:
    return PostgresServer(up.folder).url


def kill_child(name: str) -> Callable[[Up], None]:
    return lambda up: kill(up.pid_of(name))


def kill_everything(up: Up) -> None:
    """`up` itself: its children follow it. Somebody starts it again."""
    assert up.process
    kill(up.process.pid)
    up.process.wait()
    up.start()
    # Until then the children of the one that was killed may still answer.
    up.wait_until_ready()


# Who is killed, and after how many further accepted calls each time.
VICTIMS = {
    "worker": (kill_child("worker"), (3, 11, 7)),
    "api": (kill_child("api"), (9,)),
    "nursery": (kill_child("nursery"), (9,)),
    "postgres": (kill_child("postgres"), (3, 11)),
    "up": (kill_everything, (9,)),
}


def legs_of(up: Up, calls: list[str]) -> dict[str, psycopg.rows.TupleRow]:
    with psycopg.connect(database_url(up)) as connection:
        rows = connection.execute(
            "select id, status, reason, provider_call_id, call_id::text from telephony_legs where call_id = any(%s)",
            [calls],
        ).fetchall()
    return {row[0]: row for row in rows}


def nobody_works(up: Up) -> bool:
    """No dial job is left that could still run. A database that is just coming back is asked again."""
    try:
        with psycopg.connect(database_url(up)) as connection:
            (left,) = connection.execute(
                "select count(*) from bullmq.job where queue = 'dial' and state in ('waiting', 'active', 'delayed')"
            ).fetchone() or (None,)
    except psycopg.OperationalError:
        return False
    return left == 0


async def repair(up: Up) -> None:
    """What the sweep does a minute later; twice, because it puts forgotten legs back into the queue first."""
    database = Database(database_url(up))
    await LegWatch(database, TapeCarriers(up.folder / "tape"), AMinuteLater()).look_after()
    await database.close()


@pytest.mark.parametrize("victim", VICTIMS)
class TestKilling:
    async def test_loses_no_accepted_call_and_dials_none_twice(self, up: Up, stream: Stream, victim: str) -> None:
        kill_victim, moments = VICTIMS[victim]
        for calls in moments:
            stream.wait_for_more(calls)
            kill_victim(up)
        stream.wait_for_more(3)
        stream.end()
        wait_for("the worker to have done its jobs", lambda: nobody_works(up), seconds=60)
        await repair(up)
        wait_for("what was put back to be done", lambda: nobody_works(up))

        legs = legs_of(up, stream.accepted)
        assert {leg[4] for leg in legs.values()} == set(stream.accepted)
        tape = dialed(up.folder / "tape")
        assert [leg for leg, times in tape.items() if times > 1] == []
        rang = {leg: row for leg, row in legs.items() if leg in tape}
        silent = {leg: row for leg, row in legs.items() if leg not in tape}
        assert [row for row in rang.values() if row[3] is None or row[1] != "queued"] == []
        assert [row for row in silent.values() if row[1] != "failed" or not row[2]] == []
        assert len(rang) > len(silent)
