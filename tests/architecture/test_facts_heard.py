"""Every fact is heard by somebody, and every listener listens to a fact that is published."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import rymi_server
from rymi_server.entrypoints.listeners import LISTENERS
from rymi_server.queue.facts import Fact

PUBLISH = ("publish", "publishing")
SOURCE = Path(rymi_server.__file__).parent


def facts() -> set[str]:
    """By name, because a dataclass with slots leaves the class that it was made from behind."""
    for module in pkgutil.walk_packages(rymi_server.__path__, "rymi_server."):
        importlib.import_module(module.name)
    return {fact.__name__ for fact in Fact.__subclasses__() if fact.__module__.startswith("rymi_server.")}


def published() -> Iterator[str]:
    """The names of what is handed to `publish` or `publishing` anywhere, as the last argument."""
    for module in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PUBLISH:
                fact = node.args[-1]
                if isinstance(fact, ast.Call) and isinstance(fact.func, ast.Name):
                    yield fact.func.id


class TestFacts:
    def test_are_all_heard(self) -> None:
        assert facts() - {fact.__name__ for fact, listeners in LISTENERS.items() if listeners} == set()

    def test_are_all_published(self) -> None:
        assert facts() - set(published()) == set()
