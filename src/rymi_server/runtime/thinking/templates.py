"""`{{name}}` in prompts, openers and playbooks. What has no value becomes empty, and is told."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

# What a tool answered is known only once it was asked: `{{result.status}}` stands until then.
RESULT = "result."
_PLACE = re.compile(r"\{\{\s*([A-Za-z_][\w.-]{0,127})\s*\}\}")
_GAPS = re.compile(r"[ \t]{2,}")
_BEFORE_MARKS = re.compile(r"[ \t]+([,.;:!?])")


@dataclass(frozen=True, slots=True)
class Filled:
    text: str
    missing: tuple[str, ...] = ()


def fill(text: str, values: Mapping[str, Any], *, later: Collection[str] = (), drop_results: bool = False) -> Filled:
    """`text` with values in place; a value is never read as a template itself. Names in `later` stay as they stand."""
    missing: list[str] = []

    def put(place: re.Match[str]) -> str:
        name = place[1]
        value = values.get(name)
        if name in later or (value is None and name.startswith(RESULT) and not drop_results):
            return place[0]
        if value is None or value == "":
            missing.append(name)
            return ""
        return _written(value)

    filled = _PLACE.sub(put, text)
    if missing:
        filled = _BEFORE_MARKS.sub(r"\1", _GAPS.sub(" ", filled)).strip()
    return Filled(filled, tuple(dict.fromkeys(missing)))


def names_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_PLACE.findall(text)))


def fill_all(thing: Any, values: Mapping[str, Any], *, later: Collection[str] = ()) -> tuple[Any, tuple[str, ...]]:
    """As `fill`, for every text within lists and objects."""
    missing: list[str] = []

    def fill_one(text: str) -> str:
        filled = fill(text, values, later=later)
        missing.extend(filled.missing)
        return filled.text

    return _each_text(thing, fill_one), tuple(dict.fromkeys(missing))


def _each_text(thing: Any, change: Callable[[str], str]) -> Any:
    if isinstance(thing, str):
        return change(thing)
    if isinstance(thing, list):
        return [_each_text(each, change) for each in thing]
    if isinstance(thing, dict):
        return {key: _each_text(each, change) for key, each in thing.items()}
    return thing


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(_written(each) for each in value)
    return str(value)
