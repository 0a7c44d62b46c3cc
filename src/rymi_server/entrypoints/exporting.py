"""OpenTelemetry's SDK, set up. Loaded only where traces are sent, because the SDK is an extra."""

import atexit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def export_traces(endpoint: str, process: str) -> None:
    """From now on, until the process ends; then the last spans go out, too."""
    provider = provider_for(endpoint, process)
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)


def provider_for(endpoint: str, process: str) -> TracerProvider:
    """Spans go out in batches, from a thread of the exporter's own."""
    provider = TracerProvider(resource=Resource.create({"service.name": process}), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
