"""Sends traces to a collector, where one is named and the `telemetry` extra is installed."""

import importlib
import importlib.util

import structlog

log = structlog.get_logger(__name__)


def trace_to(endpoint: str | None, process: str) -> None:
    """Without an endpoint nothing is recorded, and nothing of the SDK is loaded."""
    if not endpoint:
        return
    if any(_absent(package) for package in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")):
        log.warning("tracing_needs_the_telemetry_extra", url=endpoint)
        return
    # The SDK costs a fifth of a second and most installations have none, so it is loaded by name and only here.
    importlib.import_module("rymi_server.entrypoints.exporting").export_traces(endpoint, process)
    log.info("tracing", url=endpoint)


def _absent(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is None
    except ModuleNotFoundError:
        return True
