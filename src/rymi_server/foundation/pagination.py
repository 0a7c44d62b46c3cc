"""A window onto a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Window:
    """How many rows, and how many to skip first."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows in a window, and how many there are in all."""

    rows: Sequence[Row]
    total: int

    def as_json(self, name: str, rows: Sequence[Any], window: Window) -> dict[str, Any]:
        return {name: rows, "total": self.total, "offset": window.offset, "limit": window.limit}
