"""Log lines as JSON, one object a line, on standard error. Phone numbers and speech are never among the fields."""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = ("call_id", "carrier", "state", "kind", "address", "account_id")


class JsonLines(logging.Formatter):
    """The message is constant; what varies stands in fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_stderr() -> None:
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[out], force=True)
