"""What comes after a call: how soon it is told, what an hour's recording costs, and what a dead endpoint costs others.

Budgets: call end to `call.intelligence.ready` delivered, p95 within 2 s; an hour of stereo within 64 MB; of a thousand
deliveries with one dead endpoint, the others' p95 as it is beside one that is well and has as much to do.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.after_calls import (
    TALK,
    Behaviour,
    Received,
    Receiver,
    answering,
    ended_call,
    receiver,
    recorded,
    sound,
    webhook,
    working,
)
from tests.support.asking import CLOCK, Customer, client_for, new_customer
from tests.support.waiting import until

from benchmarks.measuring import Times, table
from rymi_server.entrypoints.migrate import migrate
from rymi_server.foundation.database import Database
from rymi_server.foundation.logs import configure_logs
from rymi_server.foundation.postgres_supervisor import PostgresServer
from rymi_server.recordings.wav import header
from rymi_server.webhooks.models import News
from rymi_server.webhooks.telling import tell

CALLS = 40
# The process that lays recordings, saying at its end the most memory that it ever held, in kilobytes.
_LAYING = """
import sys
from pathlib import Path
from rymi_server.recordings.laying import main
main()
sys.stderr.write(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
DELIVERIES = 1_000
RECORDED = {"post_call": {"recording": {"enabled": True}}}


def main() -> dict[str, object]:
    # There is no room server here, which would be said for every call.
    configure_logs("error")
    return asyncio.run(_measure())


async def _measure() -> dict[str, object]:
    hour = _hour()
    async with _installed() as (database, folder, customer):
        after = await _ends(database, folder, customer)
        alone = await _deliveries(database, folder, customer, "call.started")
        beside_well = await _deliveries(database, folder, customer, "call.completed", answering(204))
        beside_dead = await _deliveries(database, folder, customer, "batch.completed", _hang)
    rows: list[Sequence[object]] = [
        ("call end → call.intelligence.ready, p50", f"{after.percentile(50):.0f} ms", ""),
        ("call end → call.intelligence.ready, p95", f"{after.percentile(95):.0f} ms", "2000 ms"),
        ("an hour of stereo: memory", f"{hour['megabytes']:.0f} MB", "64 MB"),
        ("an hour of stereo: time", f"{hour['seconds']:.1f} s", ""),
        ("1 000 deliveries to one endpoint alone, p95", f"{alone.percentile(95):.0f} ms", ""),
        ("the same beside an endpoint that is well, p95", f"{beside_well.percentile(95):.0f} ms", ""),
        ("the same beside a dead endpoint, p95", f"{beside_dead.percentile(95):.0f} ms", "as beside one that is well"),
    ]
    table(("what", "measured", "budget"), rows)
    return {
        "told_after_end_ms": {"p50": after.percentile(50), "p95": after.percentile(95)},
        "hour": hour,
        "deliveries_p95_ms": {
            "alone": alone.percentile(95),
            "beside_one_that_is_well": beside_well.percentile(95),
            "beside_a_dead_one": beside_dead.percentile(95),
        },
    }


def _hour() -> dict[str, float]:
    """An hour laid on the clock by the process that does it, in two pieces."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        half = os.urandom(32_000) + bytes(32_000)
        for name in ("a.wav", "b.wav"):
            with (here / name).open("wb") as file:
                file.write(header(2, 16_000, 0))
                for _ in range(1_800):
                    file.write(half)
        order = here / "order.json"
        order.write_text(
            f'{{"pieces": [{{"path": "{here}/a.wav", "started_at_ms": 0}}, {{"path": "{here}/b.wav", '
            f'"started_at_ms": 1800000}}], "into": "{here}/stereo.wav", "outline": "{here}/peaks.json"}}'
        )
        begun = time.monotonic()
        laying = subprocess.run([sys.executable, "-c", _LAYING, str(order)], check=True, capture_output=True)
        seconds = time.monotonic() - begun
    return {"megabytes": int(laying.stderr) / 1024, "seconds": seconds}


@asynccontextmanager
async def _installed() -> AsyncIterator[tuple[Database, Path, Customer]]:
    with tempfile.TemporaryDirectory(prefix="rymi-bench-", dir="/tmp") as home:
        os.chmod(home, 0o755)
        postgres = PostgresServer(Path(home))
        postgres.start()
        try:
            await migrate(postgres.url)
            database = Database(postgres.url, connections=20)
            async with client_for(database, allow_private_webhooks=True) as http:
                yield database, Path(home), await new_customer(database, http, credit="1000")
            await database.close()
        finally:
            postgres.stop()


async def _ends(database: Database, folder: Path, customer: Customer) -> Times:
    """One call after the other, each with a recording, by the offline engines."""
    agent_id = await customer.new_agent()
    content = sound(3, people=[(0.2, 1.0)], agent=[(1.5, 2.5)])
    seconds: list[float] = []
    begun = time.monotonic()
    async with receiver() as hook, working(database, folder):
        webhook_id = await webhook(customer, hook.url, "call.intelligence.ready")
        for number in range(CALLS):
            call_id = await ended_call(database, customer, TALK, agent_id=agent_id, **RECORDED)
            ended = time.monotonic()
            await recorded(database, folder, customer, call_id, content)
            await until("the news", _got(hook, number + 1), seconds=30)
            seconds.append(time.monotonic() - ended)
        await customer.ask("DELETE", f"/v1/webhooks/{webhook_id}")
    return Times(seconds, time.monotonic() - begun)


async def _hang(_: Received) -> bytes | None:
    await asyncio.sleep(60)
    return None


async def _deliveries(
    database: Database, folder: Path, customer: Customer, event: str, neighbour: Behaviour | None = None
) -> Times:
    """From being written down to being received, of an endpoint that is well. A neighbour hears of as much, which is as
    much again to be done, whether it is well or dead."""
    arrived: dict[str, float] = {}
    told: dict[str, float] = {}
    well_done = answering(204)

    async def note(got: Received) -> bytes | None:
        arrived[got.json["id"]] = time.monotonic()
        return await well_done(got)

    async with receiver(note) as well, receiver(neighbour or well_done) as other, working(database, folder):
        await webhook(customer, well.url, event)
        if neighbour is not None:
            await webhook(customer, other.url, event)
        begun = time.monotonic()
        for number in range(DELIVERIES):
            name = f"evt_{event}_{number}"
            told[name] = time.monotonic()
            async with database.transaction() as tx:
                await tell(tx, customer.tenant.id, [News(event, name, name, CLOCK.now(), {})], CLOCK.now())
        await until("all deliveries", _all(arrived, told), seconds=120)
    return Times([arrived[name] - told[name] for name in told], time.monotonic() - begun)


def _got(hook: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(hook.got) >= count

    return enough


def _all(arrived: dict[str, float], told: dict[str, float]) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return arrived.keys() >= told.keys()

    return enough
