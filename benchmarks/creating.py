"""`POST /v1/calls` beside its bare SQL transaction, and a batch of 500.

The bare transaction is the very statements of a create, recorded with their parameters and replayed in a transaction
through psycopg alone, against the same PostgreSQL, in turns with the API. Both are measured with connections that have
been used before: what opening one costs, a server pays once.
"""

import asyncio
import time
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from benchmarks.measuring import HttpConnection, Times, table, timed
from benchmarks.serving import Served, served
from rymi_server.call_control.create import CallCreator
from rymi_server.call_control.wanted import Caller, WantedCall, WantedParticipant
from rymi_server.calls.models import Transport
from rymi_server.entrypoints.building import build_admission
from rymi_server.entrypoints.settings import Settings
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import driver_of, for_libpq
from rymi_server.foundation.pagination import Window
from rymi_server.keys import store as keys
from rymi_server.tenants import store as tenants

EACH_ROUND = 300
# Before each round, for every client. A connection has its statements prepared once it has run them five times.
WARMING_UP = 6
ROUNDS = 3
CLIENTS = (1, 8, 32)
BATCHES = 5

Statements = list[tuple[Any, Any]]


def main() -> dict[str, object]:
    return asyncio.run(_measure())


async def _measure() -> dict[str, object]:
    async with served() as api:
        rows: list[dict[str, object]] = []
        await _bare(api, 1, 50)
        await _over_http(api, 1, 100)
        for clients in CLIENTS:
            bare, http = [], []
            for _ in range(ROUNDS):
                bare.append(await _bare(api, clients, EACH_ROUND))
                http.append(await _over_http(api, clients, EACH_ROUND))
            rows.append(_row(clients, _together(bare), _together(http)))
        batch = await _batches(api)
    headings = list(rows[0])
    table(headings, [[row[heading] for heading in headings] for row in rows])
    print(f"batch of 500 accepted in {batch:.0f} ms (slowest of {BATCHES}; budget 1000)")
    return {"create": rows, "batch_of_500_ms": batch}


def _row(clients: int, bare: Times, http: Times) -> dict[str, object]:
    return {
        "clients": clients,
        "bare p50 ms": bare.percentile(50),
        "API p50 ms": http.percentile(50),
        "ratio (<= 2)": http.percentile(50) / bare.percentile(50),
        "bare p99 ms": bare.percentile(99),
        "API p99 ms (<= 100)": http.percentile(99),
        "bare /s": bare.rate,
        "API /s": http.rate,
    }


def _together(rounds: list[Times]) -> Times:
    return Times([second for each in rounds for second in each.seconds], sum(each.elapsed for each in rounds))


async def _over_http(api: Served, clients: int, how_many: int) -> Times:
    connections: asyncio.Queue[HttpConnection] = asyncio.Queue()
    body = {"agent_id": api.agent_id, "participants": [{"transport": "webrtc", "identity": "browser"}]}

    async def create() -> None:
        connection = await connections.get()
        status, answer = await connection.ask("POST", "/v1/calls", body)
        if status != 201:
            raise RuntimeError(f"{status}: {answer.decode()}")
        connections.put_nowait(connection)

    opened = [HttpConnection(api.port, api.key) for _ in range(clients)]
    for connection in opened:
        connections.put_nowait(await connection.__aenter__())
    await timed([create] * (clients * WARMING_UP), clients)
    times = await timed([create] * how_many, clients)
    for connection in opened:
        await connection.__aexit__()
    return times


async def _bare(api: Served, clients: int, how_many: int) -> Times:
    recorded = [await _record_create(api) for _ in range(clients * WARMING_UP + how_many)]
    async with AsyncConnectionPool(for_libpq(api.database.url), min_size=clients, max_size=clients, open=False) as pool:
        await pool.wait()

        def replay(statements: Statements) -> Any:
            async def run() -> None:
                async with pool.connection() as connection:
                    await _execute(connection, statements)

            return run

        # Those who wait are given connections in the order in which they asked, so each is used as often.
        await timed([replay(statements) for statements in recorded[how_many:]], clients)
        return await timed([replay(statements) for statements in recorded[:how_many]], clients)


async def _execute(connection: psycopg.AsyncConnection[Any], statements: Statements) -> None:
    async with connection.cursor() as cursor:
        for statement, parameters in statements:
            await cursor.execute(statement, parameters)


async def _record_create(api: Served) -> Statements:
    """The statements of one create, which is rolled back."""
    statements: Statements = []

    class Noting(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            statements.append((query, params))
            return await super().execute(query, params, **options)

    settings, clock = Settings(), SystemClock()
    creator = CallCreator(build_admission(settings), clock)
    wanted = WantedCall(api.agent_id, [WantedParticipant(Transport.WEBRTC, "browser")])
    async with api.database.engine.connect() as tx:
        transaction = await tx.begin()
        (key,) = (await keys.secret_page(tx, api.tenant_id, clock.now(), Window(1))).rows
        caller = Caller(await tenants.get(tx, api.tenant_id), key)
        driver = driver_of(tx)
        usual, driver.cursor_factory = driver.cursor_factory, Noting
        try:
            await creator.create(tx, caller, wanted)
        finally:
            driver.cursor_factory = usual
        await transaction.rollback()
    return statements


async def _batches(api: Served) -> float:
    """The slowest of some, in milliseconds."""
    slowest = 0.0
    async with HttpConnection(api.port, api.key) as connection:
        for batch in range(BATCHES):
            numbers = [f"+1555{batch:02}{index:05}" for index in range(500)]
            body = {"agent_id": api.agent_id, "to": numbers, "from_number": "+15559876543"}
            started = time.perf_counter()
            status, answer = await connection.ask("POST", "/v1/calls/batch", body)
            slowest = max(slowest, time.perf_counter() - started)
            if status != 202:
                raise RuntimeError(f"{status}: {answer.decode()}")
    return slowest * 1000
