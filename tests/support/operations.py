"""Every operation of the API, as its document describes it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.support.asking import NOBODY

from rymi_server.http.app import api

DOCUMENT = api().openapi()
# Well-formed, and nobody's.
_UNKNOWN = {"number": "+15550001234", "phone": "+15550001234"}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        name: str = self.spec["operationId"]
        return name

    @property
    def needs_key(self) -> bool:
        return bool(self.spec.get("security"))

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.spec["responses"]}

    def parameters(self, where: str) -> dict[str, dict[str, Any]]:
        return {each["name"]: each["schema"] for each in self.spec.get("parameters", []) if each["in"] == where}

    @property
    def body(self) -> dict[str, Any] | None:
        """The schema of the body, if it takes one."""
        content = self.spec.get("requestBody", {}).get("content", {}).get("application/json")
        return _resolved(content["schema"]) if content else None

    @property
    def needs_body(self) -> bool:
        return bool(self.spec.get("requestBody", {}).get("required"))

    def at(self, **values: str) -> str:
        """The path, with what nobody has wherever no value is given."""
        path = self.path
        for name in self.parameters("path"):
            value = values.get(name, _UNKNOWN.get(name, NOBODY))
            path = path.replace(f"{{{name}}}", quote(value, safe="+%"))
        return path

    def fields_and_wrong_values(self) -> dict[str, Any]:
        """For each field of the body, a value of a type that it never has."""
        fields = (self.body or {}).get("properties", {})
        return {name: [] if "object" in _types(schema) else {} for name, schema in fields.items() if _types(schema)}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Without references, and without the null that an optional body may be instead."""
    if "$ref" in schema:
        named: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return named
    return next((_resolved(each) for each in schema.get("anyOf", []) if each.get("type") != "null"), schema)


def _types(schema: dict[str, Any]) -> set[str]:
    """The JSON types that a schema allows; nothing where it allows all."""
    if "anyOf" in schema:
        return {name for each in schema["anyOf"] for name in _types(each)}
    named = _resolved(schema)
    return {named["type"]} if "type" in named else set()


OPERATIONS = tuple(
    Operation(method.upper(), path, spec) for path, item in DOCUMENT["paths"].items() for method, spec in item.items()
)
