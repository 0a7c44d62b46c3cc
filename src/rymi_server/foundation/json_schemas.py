"""Schemas that a customer wrote: compiled so that none can fetch, loop or burn time, and read field by field."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from rymi_server.foundation.errors import Invalid
from rymi_server.foundation.schema_weight import refuse_heavy

_DEEPEST = 32
_MOST_NODES = 5_000
_MOST_BACKTRACKING = 10_000
_LARGEST_PATTERN_BYTES = 1_048_576
_MOST_REFERENCES = 16


class UnusableSchema(Invalid):
    """No result could be held against it."""


def compile_schema(schema: Any) -> jsonschema_rs.Draft202012Validator:
    """Raise `UnusableSchema`. A reference out of the schema is never followed."""
    if not isinstance(schema, dict):
        raise UnusableSchema("a JSON Schema is an object")
    if sum(1 for _ in _nodes(schema, 0)) > _MOST_NODES:
        raise UnusableSchema(f"has more than {_MOST_NODES} parts")
    try:
        refuse_heavy(schema)
        return jsonschema_rs.Draft202012Validator(
            schema,
            retriever=_refuse_remote,
            validate_formats=True,
            pattern_options=jsonschema_rs.FancyRegexOptions(
                backtrack_limit=_MOST_BACKTRACKING, size_limit=_LARGEST_PATTERN_BYTES
            ),
        )
    except (ValueError, jsonschema_rs.ValidationError) as error:
        raise UnusableSchema(str(error).splitlines()[0][:500]) from error


def fields_of(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The properties that an object of this schema has, references within it followed."""
    properties = resolved(schema, schema).get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: resolved(each, schema) for name, each in properties.items() if isinstance(each, dict)}


def resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A part without its local references; of `anyOf` with null the other one."""
    for _ in range(_MOST_REFERENCES):
        if isinstance(reference := part.get("$ref"), str):
            found = _at(reference, schema)
            part = {**found, **{key: value for key, value in part.items() if key != "$ref"}}
            continue
        options = part.get("anyOf") or part.get("oneOf")
        if isinstance(options, list):
            others = [each for each in options if isinstance(each, dict) and each.get("type") != "null"]
            if len(others) == 1:
                part = {**others[0], **{key: value for key, value in part.items() if key not in {"anyOf", "oneOf"}}}
                continue
        return part
    return {}


def is_valid(value: Any, part: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether a value may stand where `part` stands in `schema`."""
    definitions = {key: schema[key] for key in ("$defs", "definitions") if key in schema}
    try:
        return compile_schema({**part, **definitions}).is_valid(value)
    except UnusableSchema:
        return False


def _at(reference: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if not reference.startswith("#/"):
        return schema if reference == "#" else {}
    place: Any = schema
    for step in reference[2:].split("/"):
        place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else {}


def _nodes(thing: Any, depth: int) -> Iterator[Any]:
    if depth > _DEEPEST:
        raise UnusableSchema(f"is more than {_DEEPEST} levels deep")
    yield thing
    if isinstance(thing, dict | list):
        for each in thing.values() if isinstance(thing, dict) else thing:
            yield from _nodes(each, depth + 1)


def _refuse_remote(uri: str) -> Any:
    raise ValueError(f"a reference outside the schema is not followed: {uri}")
