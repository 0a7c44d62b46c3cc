"""Carries a trace from whoever asks for a job to whoever does it, so that one request's work is one trace."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry import context, trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_FIELD = "traceparent"
_propagator = TraceContextTextMapPropagator()


def with_trail(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """`data` with the present trace, where there is one."""
    if not trace.get_current_span().get_span_context().is_valid:
        return data
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return {**data, _FIELD: carrier[_FIELD]}


@contextlib.contextmanager
def following(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The job's own data, within the trace that it came with."""
    carrier = {_FIELD: data[_FIELD]} if _FIELD in data else {}
    token = context.attach(_propagator.extract(carrier))
    try:
        yield {name: value for name, value in data.items() if name != _FIELD}
    finally:
        context.detach(token)
