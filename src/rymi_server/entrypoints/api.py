"""`rymi api`: the HTTP edge as a process."""

import asyncio
import sys

import structlog
from prometheus_client import CollectorRegistry

from rymi_server.entrypoints.building import build_edge
from rymi_server.entrypoints.measuring import measure_pool, process_registry
from rymi_server.entrypoints.outcome import outcome
from rymi_server.entrypoints.ports import listen
from rymi_server.entrypoints.readiness import readiness_of
from rymi_server.entrypoints.serving import new_event_loop, serve
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.tracing import trace_to
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.logs import configure_logs
from rymi_server.http.app import server

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
    measure_pool(registry, database)
    app = server(build_edge(settings, database, SystemClock()), readiness_of(database), registry)
    listening = listen(settings.http_host, settings.http_port, "RYMI_HTTP_PORT")
    log.info("api_listening", address=settings.http_host, port=settings.http_port)
    try:
        await serve(app, listening, stop, trusted_proxies=settings.trusted_proxies)
    finally:
        await database.close()
    log.info("api_stopped")


if __name__ == "__main__":
    sys.exit(main())
