"""`rymi api`: the HTTP edge as a process."""

import asyncio
import sys

import sqlalchemy as sa
import structlog
from prometheus_client import CollectorRegistry

from rymi_server.call_control.api_presence import SEEN_EVERY, be_seen
from rymi_server.entrypoints.building import build_edge
from rymi_server.entrypoints.measuring import process_registry
from rymi_server.entrypoints.measuring_database import measure_database
from rymi_server.entrypoints.outcome import outcome
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.readiness import readiness_of
from rymi_server.entrypoints.serving import new_event_loop, serve
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.tracing import trace_to
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database, DatabaseUnreachable
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.ids import new_prefixed
from rymi_server.foundation.logs import configure_logs
from rymi_server.http.app import server
from rymi_server.http.edge import Edge
from rymi_server.http.health import Missing, Readiness

log = structlog.get_logger(__name__)


def main() -> int:
    return outcome(run)


def run() -> None:
    settings = read_settings()
    configure_logs(settings.log_level, show_personal=settings.log_personal)
    trace_to(settings.otlp_endpoint, "rymi-api")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve_api(settings))


async def serve_api(settings: Settings) -> None:
    """Until SIGTERM: then no request is taken any more, and those that run are answered."""
    stop = stop_requested()
    database = Database(settings.required_database_url(), connections=settings.database_connections)
    registry: CollectorRegistry = process_registry()
    measure_database(registry, database)
    edge = build_edge(settings, database, SystemClock())
    app = server(edge, _unless_draining(edge, readiness_of(database)), registry)
    leave_what_is_loaded()
    listening = listen(settings.http_host, settings.http_port, "RYMI_HTTP_PORT")
    log.info("api_listening", address=settings.http_host, port=settings.http_port)
    enough = asyncio.Event()
    draining = _drain(edge, stop, enough, settings.drain_grace_seconds)
    beside = [asyncio.create_task(_be_here(edge)), asyncio.create_task(draining)]
    try:
        await serve(app, listening, enough, trusted_proxies=settings.trusted_proxies)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
        await edge.connections.close()
        await database.close()
    log.info("api_stopped")


async def _be_here(edge: Edge) -> None:
    """Say so again and again, because an agent that nobody could hear must not be taken for silent."""
    process, started_at = new_prefixed("api"), edge.clock.now()
    while True:
        try:
            async with edge.database.single_statements() as tx:
                await be_seen(tx, process, started_at, edge.clock.now())
        except (DatabaseUnreachable, sa.exc.DBAPIError):
            log.warning("presence_not_written")
        await asyncio.sleep(SEEN_EVERY.total_seconds())


async def _drain(edge: Edge, stop: asyncio.Event, enough: asyncio.Event, grace_seconds: float) -> None:
    """Take nothing new on, then accept no connection any more.

    A stream would hold up the end of the process for as long as it may; its reader comes again elsewhere.
    """
    await stop.wait()
    edge.draining.set()
    edge.live_calls.feed.stop()
    await asyncio.sleep(grace_seconds)
    enough.set()


def _unless_draining(edge: Edge, readiness: Readiness) -> Readiness:
    async def missing() -> list[Missing]:
        if edge.draining.is_set():
            return [Missing("draining", "This process is about to stop; ask another one.")]
        return await readiness()

    return missing


if __name__ == "__main__":
    sys.exit(main())
