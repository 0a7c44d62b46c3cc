"""`GET /v1/calls` of a tenant with a million calls: the first page, and a page from a cursor deep inside."""

import asyncio
import time

import sqlalchemy as sa

from benchmarks.measuring import HttpConnection, Times, table
from benchmarks.serving import Served, served

CALLS = 1_000_000
ASKED = 200

_FILL = sa.text("""
    with made as (
        insert into calls (id, tenant_id, agent_id, agent, direction, status, metadata, variables, post_call,
                           rate_per_minute, created_at, started_at, ended_at, bill_duration, total_cost)
        select uuidv7(make_interval(secs => -n)), :tenant, :agent, '{}', 'outbound',
               case n % 10 when 0 then 'failed' else 'completed' end,
               '{"source": "bench"}', '{}', '{}', 0.05, now() - make_interval(secs => n), now(), now(), 60, 0.05
        from generate_series(1, :calls) as n
        returning id, tenant_id
    )
    insert into call_participants (id, call_id, tenant_id, role, transport, identity, status, metadata, created_at)
    select gen_random_uuid(), id, tenant_id, 'customer', 'pstn', '+15551234567', 'left', '{}', now() from made
""")

PAGES = {
    "first page of 200": "/v1/calls",
    "first page of 50": "/v1/calls?limit=50",
    "by status": "/v1/calls?limit=50&status=completed",
    "cursor page of 200": "/v1/calls?cursor={cursor}",
    "cursor page of 50": "/v1/calls?limit=50&cursor={cursor}",
    "status and cursor": "/v1/calls?limit=50&status=failed&cursor={cursor}",
}


def main() -> dict[str, object]:
    return asyncio.run(_measure())


async def _measure() -> dict[str, object]:
    async with served() as api:
        cursor = await _fill(api)
        rows: list[dict[str, object]] = []
        async with HttpConnection(api.port, api.key) as connection:
            for name, path in PAGES.items():
                times = await _ask(connection, path.format(cursor=cursor))
                rows.append(
                    {
                        "page": name,
                        "p50 ms": times.percentile(50),
                        "p95 ms (< 20)": times.percentile(95),
                        "p99 ms": times.percentile(99),
                    }
                )
    headings = list(rows[0])
    table(headings, [[row[heading] for heading in headings] for row in rows])
    return {"calls": CALLS, "pages": rows}


async def _fill(api: Served) -> str:
    """Write the calls, and return the id of one in their middle."""
    async with api.database.transaction() as tx:
        await tx.execute(_FILL, {"tenant": api.tenant_id, "agent": api.agent_id, "calls": CALLS})
    async with api.database.engine.connect() as connection:
        vacuum = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await vacuum.exec_driver_sql("vacuum analyze")
        middle = await connection.exec_driver_sql(f"select id from calls order by id offset {CALLS // 2} limit 1")
        return str(middle.scalar_one())


async def _ask(connection: HttpConnection, path: str) -> Times:
    seconds = []
    for _ in range(ASKED):
        started = time.perf_counter()
        status, answer = await connection.ask("GET", path)
        seconds.append(time.perf_counter() - started)
        if status != 200:
            raise RuntimeError(f"{status}: {answer.decode()}")
    return Times(seconds, sum(seconds))
