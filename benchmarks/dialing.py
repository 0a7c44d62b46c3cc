"""How closely a batch keeps to the pace of a carrier account: calls a second, as the carrier sees them come.

The carriers are in a box; the API, the worker and the rooms are processes of their own. Everybody is busy, so each leg
takes all that a call without a conversation takes: dialed, ended, settled, told. Vonage refuses what comes too fast,
so its row runs at its own limit.

The box takes a share of the machine that a real carrier would not. So CPU is told by process, and beside the rate that
was seen stands the one at which our own processes would fill two cores. `DIALING_BENCH` names some of the loads only.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from benchmarks.measuring import table
from benchmarks.processor import seconds_by_name
from benchmarks.room_servers import KEY as LIVEKIT_KEY
from benchmarks.room_servers import SECRET as LIVEKIT_SECRET
from benchmarks.room_servers import server as rooms_server
from benchmarks.serving import SECRET, Served, free_port, served
from carrierbox import stock
from carrierbox.box import Box
from carrierbox.callees.script import Pickup, Script
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings as BoxSettings
from rymi_server.entrypoints.sweeping import QUEUE as PERIODIC
from rymi_server.queue.counts import counts_by_queue

TWILIO = {"provider": "twilio", "auth_id": stock.TWILIO_SID, "auth_token": stock.TWILIO_TOKEN}
VONAGE = {"provider": "vonage", "api_key": stock.VONAGE_KEY, "api_secret": stock.VONAGE_SECRET}


@dataclass(frozen=True, slots=True)
class Load:
    credentials: dict[str, str]
    account: str
    per_second: float
    recipients: int


LOADS = {
    "twilio-50": Load(TWILIO, stock.TWILIO_SID, 50, 500),
    "twilio-30": Load(TWILIO, stock.TWILIO_SID, 30, 500),
    "twilio-20": Load(TWILIO, stock.TWILIO_SID, 20, 500),
    "twilio-3": Load(TWILIO, stock.TWILIO_SID, 3, 90),
    "vonage-3": Load(VONAGE, stock.VONAGE_KEY, 3, 90),
}
WANTED = os.environ.get("DIALING_BENCH", ",".join(LOADS)).split(",")
WITHIN_PERCENT = 5
# What stands in their command lines.
OURS = {
    "entrypoints.worker": "worker",
    "entrypoints.api": "API",
    "postgres": "PostgreSQL",
    "roomlet": "rooms",
}


def main() -> dict[str, object]:
    return asyncio.run(_measure())


async def _measure() -> dict[str, object]:
    rows = [await _one(LOADS[name]) for name in WANTED]
    headings = list(rows[0])
    table(headings, [[row[heading] for heading in headings] for row in rows])
    held = [row["limit /s"] for row in rows if abs(row["off by %"]) <= WITHIN_PERCENT]
    print(f"largest rate held within {WITHIN_PERCENT} %: {max(held, default='none')} a second")
    return {"dialing": rows, "largest_rate_held": max(held, default=None)}


async def _one(load: Load) -> dict[str, Any]:
    settings = BoxSettings(
        port=0,
        max_calls=2_000,
        remembered_calls=2_000,
        twilio_calls_per_second=500.0,
        vonage_calls_per_second=3.0,
    )
    async with serving(settings, SteadyClock()) as (box, address), rooms_server() as rooms:
        around = {**_at_the_box(address), **_at_the_rooms(rooms.url)}
        async with served(around) as api:
            numbers = [f"+1202555{2000 + index}" for index in range(load.recipients)]
            for number in numbers:
                box.exchange.scripts[number] = Script(pickup=Pickup.BUSY)
            with _worker(api, around) as worker:
                await _until_it_works(worker)
                before = seconds_by_name(OURS)
                await _dial_all(api, load, numbers)
                placed = await _until_all_are_placed(box, load)
                await _until_all_is_done(api)
                after = seconds_by_name(OURS)
    seconds = [call.timestamp() for call in placed]
    rate = (len(seconds) - 1) / (seconds[-1] - seconds[0])
    return {
        "carrier": load.credentials["provider"],
        "calls": load.recipients,
        "limit /s": load.per_second,
        "dialed /s": round(rate, 2),
        "off by %": round((rate / load.per_second - 1) * 100, 2),
        "most in any second": _most_in_a_second(seconds),
        **_cost(before, after, load.recipients),
    }


def _cost(before: dict[str, float], after: dict[str, float], legs: int) -> dict[str, object]:
    """CPU a leg, by process. The box is this process."""

    def a_leg(name: str) -> float:
        return (after[name] - before[name]) / legs * 1000

    ours = sum(map(a_leg, OURS.values()))
    shares = {f"{name} ms a leg": round(a_leg(name), 1) for name in OURS.values()}
    return {
        **shares,
        "ours ms a leg": round(ours, 1),
        "box ms a leg": round(a_leg("here"), 1),
        "two cores of ours hold /s": round(2000 / ours, 1),
    }


async def _dial_all(api: Served, load: Load, numbers: list[str]) -> None:
    headers = {"Authorization": f"Bearer {api.key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}", headers=headers, timeout=60) as http:
        connect = {**load.credentials, "calls_per_second": float(load.per_second)}
        (await http.post("/v1/telephony/connect", json=connect)).raise_for_status()
        (await http.post("/v1/calls/batch", json={"agent_id": api.agent_id, "to": numbers})).raise_for_status()


async def _until_all_are_placed(box: Box, load: Load) -> list[datetime]:
    def placed() -> list[datetime]:
        calls = box.exchange.ledger.of_account(load.credentials["provider"], load.account)
        return sorted(call.created_at for call in calls)

    async with asyncio.timeout(load.recipients / load.per_second * 2 + 60):
        while len(placed()) < load.recipients:  # noqa: ASYNC110 - The box has no event for it.
            await asyncio.sleep(0.2)
    return placed()


def _most_in_a_second(seconds: list[float]) -> int:
    return max(sum(1 for other in seconds[index:] if other < at + 1) for index, at in enumerate(seconds))


def _at_the_box(address: str) -> dict[str, str]:
    return {
        "RYMI_TWILIO_URL": f"{address}/twilio",
        "RYMI_PLIVO_URL": f"{address}/plivo",
        "RYMI_VONAGE_URL": f"{address}/vonage",
        "RYMI_VONAGE_ACCOUNT_URL": f"{address}/vonage",
        "RYMI_CARRIER_LIMITS": json.dumps({n: {"calls_per_second": 1} for n in ("twilio", "plivo", "vonage")}),
    }


def _at_the_rooms(url: str) -> dict[str, str]:
    return {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": LIVEKIT_KEY, "LIVEKIT_API_SECRET": LIVEKIT_SECRET}


@dataclass(frozen=True, slots=True)
class Worker:
    process: subprocess.Popen[bytes]
    metrics_port: int


@contextmanager
def _worker(api: Served, around: dict[str, str]) -> Iterator[Worker]:
    port = free_port()
    environment = {
        **os.environ,
        **around,
        "DATABASE_URL": api.database.url,
        "RYMI_SECRET": SECRET,
        "RYMI_WORKER_PORT": str(port),
        "RYMI_LOG_LEVEL": "error",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{api.port}",
    }
    process = subprocess.Popen([sys.executable, "-m", "rymi_server.entrypoints.worker"], env=environment)
    try:
        yield Worker(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


async def _until_it_works(worker: Worker) -> None:
    """Starting is not part of what a leg costs."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{worker.metrics_port}") as http, asyncio.timeout(60):
        while True:
            try:
                if "rymi_jobs_ended_total{" in (await http.get("/metrics")).text:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)


async def _until_all_is_done(api: Served) -> None:
    """Also what comes after the calls, which belongs to what they cost."""
    async with asyncio.timeout(300):
        while await _jobs_left(api):  # noqa: ASYNC110 - The queue has no event for being empty.
            await asyncio.sleep(0.5)


async def _jobs_left(api: Served) -> int:
    async with api.database.transaction() as tx:
        counts = await counts_by_queue(tx)
    return sum(
        n for (queue, state), n in counts.items() if queue != PERIODIC and state in ("waiting", "active", "delayed")
    )
