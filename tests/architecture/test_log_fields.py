"""What is logged is classified: every field name stands in `foundation/logs.py`, and every message is constant."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from rymi_server.foundation.logs import HARMLESS, PERSONAL, QUOTING

SOURCE = Path(__file__).parents[2] / "src" / "rymi_server"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
BINDING = {"bind", "bind_contextvars", "bound_contextvars"}
CLASSIFIED = HARMLESS | PERSONAL | QUOTING


def log_calls(module: Path) -> Iterator[tuple[ast.Call, str]]:
    """Calls such as `log.info(…)` and `structlog.contextvars.bound_contextvars(…)`, with what is called."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if (node.func.attr in LEVELS and owner == "log") or (node.func.attr in BINDING and "struct" in owner):
                yield node, node.func.attr


@pytest.mark.parametrize("module", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
class TestEveryLogCall:
    def test_names_only_classified_fields(self, module: Path) -> None:
        named = {keyword.arg for call, _ in log_calls(module) for keyword in call.keywords if keyword.arg}
        assert named - CLASSIFIED - {"exc_info"} == set(), "classify these names in foundation/logs.py"

    def test_says_something_constant(self, module: Path) -> None:
        messages = [call.args[0] for call, name in log_calls(module) if name in LEVELS and call.args]
        assert [ast.unparse(each) for each in messages if not isinstance(each, ast.Constant)] == []


class TestTheTable:
    def test_puts_no_name_in_two_classes(self) -> None:
        assert len(CLASSIFIED) == len(HARMLESS) + len(PERSONAL) + len(QUOTING)
