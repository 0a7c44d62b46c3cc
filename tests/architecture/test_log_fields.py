"""What is logged is classified: every field name stands in `foundation/logs.py`, and every message is constant."""

import ast
from collections.abc import Iterator
from pathlib import Path

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


CALLS = [
    (str(module.relative_to(SOURCE)), call, name)
    for module in sorted(SOURCE.rglob("*.py"))
    for call, name in log_calls(module)
]


class TestEveryLogCall:
    def test_names_only_classified_fields(self) -> None:
        named = [(module, keyword.arg) for module, call, _ in CALLS for keyword in call.keywords if keyword.arg]
        unknown = [each for each in named if each[1] not in CLASSIFIED | {"exc_info"}]
        assert unknown == [], "classify these names in foundation/logs.py"

    def test_says_something_constant(self) -> None:
        messages = [(module, call.args[0]) for module, call, name in CALLS if name in LEVELS and call.args]
        made_up = [(module, ast.unparse(said)) for module, said in messages if not isinstance(said, ast.Constant)]
        assert made_up == []

    def test_is_found(self) -> None:
        assert len(CALLS) > 50


class TestTheTable:
    def test_puts_no_name_in_two_classes(self) -> None:
        assert len(CLASSIFIED) == len(HARMLESS) + len(PERSONAL) + len(QUOTING)
