"""What a log line lets out."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from rymi_server.foundation.logs import HIDDEN, configure_logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where logs go meanwhile."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def last_line(written: io.StringIO) -> dict[str, str]:
    line: dict[str, str] = json.loads(written.getvalue().splitlines()[-1])
    return line


class TestOurOwnLines:
    def test_are_json_with_a_level_and_an_instant(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        structlog.get_logger().info("leg_claimed", leg_id="leg_1")
        line = last_line(written)
        assert (line["event"], line["level"], line["leg_id"]) == ("leg_claimed", "info", "leg_1")
        assert line["timestamp"].endswith("Z")

    def test_carry_what_is_bound_around_them(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        with structlog.contextvars.bound_contextvars(call_id="c1"):
            structlog.get_logger().info("call_ended")
        assert last_line(written)["call_id"] == "c1"

    def test_below_the_level_are_not_written(self, written: io.StringIO) -> None:
        configure_logs("warning", stream=written)
        structlog.get_logger().info("call_ended")
        assert written.getvalue() == ""

    @pytest.mark.parametrize("name", ["phone", "identity", "text", "metadata", "of_nobody_knows_what_kind"])
    def test_keep_the_name_of_a_personal_field_and_not_its_value(self, written: io.StringIO, name: str) -> None:
        configure_logs("info", stream=written)
        structlog.get_logger().info("said", **{name: "+15551234567"})
        assert last_line(written)[name] == HIDDEN

    def test_show_personal_fields_where_the_operator_wants_them(self, written: io.StringIO) -> None:
        configure_logs("info", show_personal=True, stream=written)
        structlog.get_logger().info("said", text="good morning")
        assert last_line(written)["text"] == "good morning"

    def test_cut_an_error_before_it_quotes_values(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        structlog.get_logger().warning("failed", error="no route to +15551234567\nDETAIL: Key (number)=(+15551234567)")
        assert last_line(written)["error"] == "no route to +…"

    def test_take_numbers_and_keys_out_of_tracebacks(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        try:
            raise ValueError("+15551234567 with rymi_0123456789abcdef0123456789abcdef")
        except ValueError:
            structlog.get_logger().exception("crashed")
        assert "ValueError: +… with rymi_…" in last_line(written)["exception"]


class TestLinesOfLibraries:
    def test_look_like_ours(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        logging.getLogger("uvicorn.error").warning("could not serve %s", "+15551234567")
        line = last_line(written)
        assert (line["event"], line["logger"], line["level"]) == ("could not serve +…", "uvicorn.error", "warning")

    def test_are_written_from_warning_on(self, written: io.StringIO) -> None:
        configure_logs("info", stream=written)
        logging.getLogger("uvicorn.error").info("Started server process")
        assert written.getvalue() == ""
