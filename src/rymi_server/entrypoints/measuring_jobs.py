"""A worker's numbers for Prometheus, and a span for each of its jobs."""

import time
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from rymi_server.calls import tally
from rymi_server.foundation.database import Database, DatabaseUnreachable
from rymi_server.http.health import Measure
from rymi_server.queue.counts import counts_by_queue
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.later import Later
from rymi_server.queue.running import Work

tracer = trace.get_tracer("rymi.queue")

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LINKED = ("call_id", "leg_id", "tenant_id")


def measure_work(registry: CollectorRegistry, database: Database) -> Measure:
    """How much work waits and how many calls are live, asked of the database whenever somebody looks."""
    jobs = Gauge("rymi_jobs", "Jobs in a queue, by BullMQ's state.", ("queue", "state"), registry=registry)
    live = Gauge("rymi_live_calls", "Calls that are not over.", registry=registry)

    async def measure() -> None:
        try:
            async with database.transaction() as tx:
                counts = await counts_by_queue(tx)
                live.set(await tally.live(tx))
        except DatabaseUnreachable:
            return  # The process's own numbers are worth having all the more.
        jobs.clear()
        for (queue, state), count in counts.items():
            jobs.labels(queue, state).set(count)

    return measure


def observed(registry: CollectorRegistry, work: Mapping[JobKind, Work]) -> dict[JobKind, Work]:
    """`work`, with each job counted, timed, and traced. A trace of a job is tied to its call by `call_id`."""
    ended = Counter("rymi_jobs_ended_total", "Jobs run.", ("queue", "job", "outcome"), registry=registry)
    seconds = Histogram(
        "rymi_job_seconds", "How long a job ran.", ("queue", "job"), buckets=_BUCKETS, registry=registry
    )

    def around(kind: JobKind, inner: Work) -> Work:
        async def run(data: Mapping[str, Any]) -> None:
            outcome, started = "failed", time.perf_counter()
            linked = {key: str(data[key]) for key in _LINKED if key in data}
            with tracer.start_as_current_span(f"{kind.queue}.{kind.name}", attributes=linked):
                try:
                    await inner(data)
                    outcome = "done"
                except Later:
                    outcome = "put_off"
                    raise
                finally:
                    ended.labels(kind.queue, kind.name, outcome).inc()
                    seconds.labels(kind.queue, kind.name).observe(time.perf_counter() - started)

        return run

    return {kind: around(kind, inner) for kind, inner in work.items()}
