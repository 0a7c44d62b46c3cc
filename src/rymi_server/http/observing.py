"""Around every request: an id, one log line, its metrics, and the last resort against bugs."""

import time
from typing import Any

import structlog
from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rymi_server.foundation.ids import new_prefixed
from rymi_server.http.error_rendering import bug_response, route_of

log = structlog.get_logger(__name__)
tracer = trace.get_tracer("rymi.http")

_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
# As long as a call: its seconds would say nothing of how quickly we answer.
_ENDLESS = frozenset({"/v1/calls/{call_id}/stream"})
_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "rymi_http_requests_total", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "rymi_http_request_seconds", "Time to answer.", ("method", "route"), buckets=_BUCKETS, registry=registry
        )


class Observing:
    """ASGI middleware. Routes are labelled by their pattern, never by the ids in a path."""

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_prefixed("req")
        answered: dict[str, Any] = {"status": 500, "begun": False}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.update(status=message["status"], begun=True)
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        with tracer.start_as_current_span("http.request") as span:
            try:
                await self._app(scope, receive, sending)
            except Exception:
                # The edge: whatever is raised up to here is a bug of ours.
                log.exception("request_crashed", route=route_of(scope))
                if not answered["begun"]:
                    await bug_response()(scope, receive, sending)
            span.set_attribute("http.response.status_code", answered["status"])
        self._note(scope, answered["status"], time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        if route not in _ENDLESS:
            self._metrics.seconds.labels(scope["method"], route).observe(seconds)
        if scope["path"] not in _QUIET:
            log.info(
                "request", method=scope["method"], route=route, status=status, milliseconds=round(seconds * 1000, 1)
            )
