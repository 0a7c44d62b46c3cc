"""Sends traces to a collector, where one is named and the `telemetry` extra is installed."""

import importlib
import importlib.util
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def trace_to(endpoint: str | None, process: str, *, is_installed: Callable[[str], bool] = _is_installed) -> None:
    """Without an endpoint nothing is recorded, and nothing of the SDK is loaded."""
    if not endpoint:
        return
    if not all(is_installed(package) for package in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")):
        log.warning("tracing_needs_the_telemetry_extra", url=endpoint)
        return
    # The SDK costs a fifth of a second and most installations have none, so it is loaded by name and only here.
    importlib.import_module("rymi_server.entrypoints.exporting").export_traces(endpoint, process)
    log.info("tracing", url=endpoint)
