"""OpenTelemetry's SDK, set up. Loaded only where traces are sent, because the SDK is an extra."""

import atexit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def export_traces(endpoint: str, process: str) -> None:
    """Spans go out in batches, from a thread of the exporter's own, and the last of them when the process ends."""
    provider = TracerProvider(resource=Resource.create({"service.name": process}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    atexit.register(provider.shutdown)
