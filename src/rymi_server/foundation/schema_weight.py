"""How much work it is to hold a value against a schema, before anybody does: a few references can ask for more than a
lifetime of it.

A schema is walked as a validator walks it, references followed. What refers to itself is fine as long as each turn
takes one way: a list of lists, a tree. Where one and the same value may be held against several ways back, they double
with each turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

_MOST_WORK = 20_000
_ONE = ("not", "if", "then", "else", "items", "additionalItems", "contains", "additionalProperties", "propertyNames")
_ONE_LEFT_OVER = ("unevaluatedItems", "unevaluatedProperties")
_SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "dependencies")
# What each value has one of. All others may be about a value that another one is about as well.
_APART = ("properties", "items", "prefixItems")
_REFERENCES_ELSEWHERE = ("$dynamicRef", "$recursiveRef")
_NULL = ({"type": "null"}, {"const": None}, {"enum": [None]})


class TooHeavy(ValueError):
    """The message says what is wrong with the schema."""


def refuse_heavy(schema: Mapping[str, Any]) -> None:
    """Raise `TooHeavy`."""
    _Walk(schema).through(schema, ("#",), overlapping=False)


class _Walk:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._work = 0
        self._returns: dict[str, int] = {}
        self._overlapping: set[str] = set()

    def through(self, part: Any, inside: tuple[str, ...], *, overlapping: bool) -> None:
        """`inside` are the references that are being followed; `overlapping`, whether a value was looked at twice."""
        self._work += 1
        if self._work > _MOST_WORK:
            raise TooHeavy("its references and choices multiply to more work than it is worth")
        if not isinstance(part, dict):
            return
        if any(isinstance(part.get(name), str) for name in _REFERENCES_ELSEWHERE):
            raise TooHeavy("a reference is written as $ref, to a part of the schema itself")
        if isinstance(part.get("$id"), str) and part is not self._schema:
            raise TooHeavy("only the schema as a whole has an $id")
        if isinstance(reference := part.get("$ref"), str):
            self._follow(reference, inside, overlapping=overlapping)
        for keyword, inner in _parts(part):
            self.through(inner, inside, overlapping=overlapping or _overlaps(keyword, part))

    def _follow(self, reference: str, inside: tuple[str, ...], *, overlapping: bool) -> None:
        if reference in inside:
            # Whatever loops there are below the outermost reference, they can be taken in turn.
            outermost = inside[1] if len(inside) > 1 else inside[0]
            self._returns[outermost] = self._returns.get(outermost, 0) + 1
            if overlapping:
                self._overlapping.add(outermost)
            if self._returns[outermost] > 1 and outermost in self._overlapping:
                raise TooHeavy("it refers to itself in several ways at once")
            return
        target = _at(reference, self._schema)
        if len(inside) == 1:
            self._returns.pop(reference, None)
            self._overlapping.discard(reference)
        self.through(target, (*inside, reference), overlapping=overlapping)


def _parts(part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for keyword in (*_ONE, *_ONE_LEFT_OVER):
        if isinstance(part.get(keyword), dict):
            yield keyword, part[keyword]
    for keyword in _SEVERAL:
        if isinstance(part.get(keyword), list):
            yield from ((keyword, each) for each in part[keyword])
    for keyword in _NAMED:
        if isinstance(part.get(keyword), dict):
            yield from ((keyword, each) for each in part[keyword].values())


def _overlaps(keyword: str, part: Mapping[str, Any]) -> bool:
    if keyword in ("anyOf", "oneOf"):
        return not _is_that_or_null(part[keyword])
    return keyword not in _APART


def _is_that_or_null(options: Sequence[Any]) -> bool:
    return sum(option not in _NULL for option in options) == 1


def _at(reference: str, schema: Mapping[str, Any]) -> Any:
    if reference == "#":
        return schema
    if not reference.startswith("#/"):
        raise TooHeavy(f"a reference outside the schema is not followed: {reference[:200]}")
    place: Any = schema
    for step in unquote(reference[2:]).split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, dict) and name in place:
            place = place[name]
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            raise TooHeavy(f"a reference leads nowhere: {reference[:200]}")
    return place
