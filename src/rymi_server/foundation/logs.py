"""Logs: a JSON object a line on standard error, or lines for people where that is a terminal.

Every name that a field may have stands here, as harmless or as personal. What is personal, and what nobody has
classified, does not reach the line unless the operator asks for it.
"""

import logging
import re
import sys
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

# Ids, counts and words of our own: they say nothing about a person without the database beside them.
HARMLESS = frozenset(
    {
        *("bridges", "carrier", "ending", "engine", "time_zone"),
        *(
            "address",
            "attempt",
            "call_id",
            "child",
            "code",
            "count",
            "exit_code",
            "job",
            "job_id",
            "kind",
            "leg_id",
            "log",
            "method",
        ),
        *(
            "milliseconds",
            "pid",
            "port",
            "queue",
            "reason",
            "request_id",
            "restart_in",
            "retryable",
            "route",
            "seconds",
        ),
        *("delivery_id", "endpoint_id", "signal", "state", "status", "sweep", "tenant_id", "url"),
    }
)

# What other programs say of an error. Their first line says what happened; further lines quote values.
QUOTING = frozenset({"error"})

# Whom we talk to, what was said, and what others put into our hands.
PERSONAL = frozenset(
    {
        *(
            "alert_email",
            "body",
            "from_number",
            "identity",
            "metadata",
            "name",
            "number",
            "payload",
            "persona",
            "phone",
            "prompt",
        ),
        *("text", "to_number", "tool_arguments", "transcript", "variables"),
    }
)

HIDDEN = "[personal]"

# structlog's own.
_ALWAYS = frozenset({"event", "level", "timestamp", "logger", "exception", "exc_info", "stack_info", "stack"})
_NUMBER = re.compile(r"\+\d{7,15}\b")
_KEY = re.compile(r"\b(rymi_(?:pk_)?|sb_publishable_)[0-9a-f]{16,}")


def configure_logs(level: str, *, show_personal: bool = False, stream: TextIO | None = None) -> None:
    """Send our own logs, and those of libraries that use `logging`, to `stream`, or to standard error."""
    out = stream or sys.stderr
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if not show_personal:
        shared += [hide_personal, redact_quotations]
    renderer = _renderer(out)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    lines = logging.StreamHandler(out)
    lines.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [lines]
    # Libraries count requests and connections at `info`; a line of ours stands for each of those already.
    root.setLevel(max(least, logging.WARNING))


def hide_personal(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep the names of personal fields, and none of their values."""
    for name in event.keys() - HARMLESS - QUOTING - _ALWAYS:
        if not name.startswith("_"):
            event[name] = HIDDEN
    return event


def redact_quotations(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Tracebacks, and messages of libraries, may quote a number or a key: what looks like one is taken out."""
    for name in QUOTING & event.keys():
        event[name] = _redacted(str(event[name]).partition("\n")[0])
    for name in ("event", "exception"):
        if isinstance(text := event.get(name), str):
            event[name] = _redacted(text)
    return event


def _redacted(text: str) -> str:
    return _KEY.sub(r"\1…", _NUMBER.sub("+…", text))


def _renderer(out: TextIO) -> Any:
    if out.isatty():
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(ensure_ascii=False)
