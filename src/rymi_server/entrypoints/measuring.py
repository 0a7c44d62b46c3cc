"""A process's numbers for Prometheus: its own."""

from prometheus_client import CollectorRegistry, ProcessCollector


def process_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry
