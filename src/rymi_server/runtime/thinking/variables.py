"""What an agent may be told of a call: its declared variables, and the values that a call brings for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TRUE = {"true", "yes", "1"}
_FALSE = {"false", "no", "0"}


@dataclass(frozen=True, slots=True)
class Values:
    """`missing` names the required variables that have no fitting value, in the order in which they were declared."""

    by_name: Mapping[str, Any]
    missing: tuple[str, ...] = ()


def values_of(
    declared: Sequence[Mapping[str, Any]], given: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
) -> Values:
    """What the call says, then what its metadata says, then the default. A value of another type counts as missing.

    What was given without having been declared is passed on as it is.
    """
    known = {key: value for key, value in given.items() if value is not None}
    missing: list[str] = []
    for variable in declared:
        name = variable.get("key")
        if not isinstance(name, str):
            continue
        told = known.pop(name, None)
        if told is None and metadata:
            told = metadata.get(str(variable.get("metadataKey") or name))
        value = _fitting(variable, told)
        if value is None:
            value = _fitting(variable, variable.get("default"))
        if value is not None:
            known[name] = value
        elif variable.get("required"):
            missing.append(name)
    return Values(known, tuple(missing))


def _fitting(variable: Mapping[str, Any], value: Any) -> Any:
    """The value in the variable's type, or None."""
    if value is None or isinstance(value, dict | list):
        return None
    kind = variable.get("type", "string")
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        word = str(value).strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    if kind == "enum":
        return value if value in (variable.get("enumValues") or []) else None
    return str(value) if value != "" else None


def _number(value: Any) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return int(number) if number.is_integer() else number
