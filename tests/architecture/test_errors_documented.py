"""Every code that the API answers with stands in `docs/reference/errors.md`, and nothing else does."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import rymi_server
from rymi_server.foundation.errors import RymiError

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
ROW = re.compile(r"^\| (\d{3}) \| `(\w+)` \|", re.MULTILINE)
# Made by the edge for what is not an error of ours: bugs, unknown paths and methods, and the removed endpoints.
OF_THE_EDGE = {
    ("500", "internal_error"),
    ("404", "not_found"),
    ("405", "method_not_allowed"),
    ("410", "realtime_token_removed"),
}


def subclasses(parent: type[RymiError]) -> Iterator[type[RymiError]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


class TestTheErrorsPage:
    def test_lists_every_code_with_its_status_and_no_other(self) -> None:
        for module in pkgutil.walk_packages(rymi_server.__path__, "rymi_server."):
            importlib.import_module(module.name)
        raised = {
            (str(error.status), error.code)
            for error in subclasses(RymiError)
            if not error.__subclasses__() and error.__module__.startswith("rymi_server.")
        }
        documented = set(ROW.findall(PAGE.read_text()))
        assert documented == raised | OF_THE_EDGE
