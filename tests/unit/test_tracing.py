"""Traces go out where there is somewhere to go, and otherwise nothing is loaded for them."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from structlog.testing import capture_logs

from rymi_server.entrypoints.exporting import provider_for
from rymi_server.entrypoints.tracing import trace_to


class Collector(HTTPServer):
    """Takes whatever is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.taken: list[tuple[str, bytes]] = []


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


class TestTracing:
    def test_sends_its_spans_to_the_collector(self, collector: Collector) -> None:
        provider = provider_for(f"http://127.0.0.1:{collector.server_port}", "rymi-tests")
        provider.get_tracer("tests").start_span("dial.dial", attributes={"call_id": "c-1"}).end()
        provider.shutdown()
        ((path, body),) = collector.taken
        assert path == "/v1/traces"
        assert b"dial.dial" in body
        assert b"rymi-tests" in body

    def test_is_silent_without_an_endpoint(self) -> None:
        with capture_logs() as lines:
            trace_to(None, "rymi-tests")
        assert lines == []

    def test_says_what_is_missing_where_the_extra_is_not_installed(self) -> None:
        with capture_logs() as lines:
            trace_to("http://collector:4318", "rymi-tests", is_installed=lambda _: False)
        assert [line["event"] for line in lines] == ["tracing_needs_the_telemetry_extra"]
