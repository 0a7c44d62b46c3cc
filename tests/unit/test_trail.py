"""A job is part of the trace in which it was asked for."""

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from rymi_server.queue.trail import following, with_trail

ASKING = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)))


class TestTheTrail:
    def test_is_followed_by_who_does_the_job(self) -> None:
        with use_span(ASKING):
            sent = with_trail({"call_id": "c-1"})
        with following(sent) as data:
            assert data == {"call_id": "c-1"}
            assert trace.get_current_span().get_span_context().trace_id == 0xABC
        assert not trace.get_current_span().get_span_context().is_valid

    def test_is_none_where_nobody_traces(self) -> None:
        assert with_trail({"call_id": "c-1"}) == {"call_id": "c-1"}
        with following({"call_id": "c-1"}) as data:
            assert data == {"call_id": "c-1"}
            assert not trace.get_current_span().get_span_context().is_valid
