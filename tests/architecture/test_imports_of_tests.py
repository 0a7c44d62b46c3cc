"""What a test imports from the product is there: else a whole module is missing from a run, and only its end tells."""

import ast
from importlib import import_module, util
from pathlib import Path

TESTS = Path(__file__).parents[1]
OURS = ("rymi_server", "roomlet", "carrierbox", "benchmarks", "tests")
MODULES = [module for module in sorted(TESTS.rglob("*.py")) if "node_modules" not in module.parts]


def test_what_a_test_imports_exists() -> None:
    wanted = [
        (str(module.relative_to(TESTS)), node.module, alias.name)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS
        for alias in node.names
    ]
    assert len(wanted) > len(MODULES)
    assert [each for each in wanted if not exists(*each[1:])] == []


def exists(source: str, name: str) -> bool:
    try:
        module = import_module(source)
    except ModuleNotFoundError:
        return False
    is_package = hasattr(module, "__path__")
    return hasattr(module, name) or (is_package and util.find_spec(f"{source}.{name}") is not None)
