"""Schemas that customers write: what is refused before any value is held against it, and what is not."""

from typing import Any

import pytest

from rymi_server.foundation.json_schemas import UnusableSchema, compile_schema


def of(x: Any, **definitions: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": x}, "$defs": definitions}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def doubling(keyword: str, times: int) -> dict[str, Any]:
    chain = {f"a{n}": {keyword: [ref(f"a{n + 1}")] * 2} for n in range(times)}
    return of(ref("a0"), **chain, **{f"a{times}": {"type": "integer"}})


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


TREE = {"type": "object", "properties": {"left": nullable(ref("tree")), "right": nullable(ref("tree"))}}
ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}
_ONE_WAY = {"properties": {"next": ref("node")}}
_OTHER_WAY = {"properties": {"next": ref("other")}}


class TestASchema:
    @pytest.mark.parametrize(
        "schema",
        [
            pytest.param(of(ref("tree"), tree=TREE), id="a tree"),
            pytest.param(of(ref("n"), n={"type": "array", "items": ref("n")}), id="a list of lists"),
            pytest.param({"properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}, id="itself"),
            pytest.param(of({"properties": {str(n): ref("a") for n in range(500)}}, a=ADDRESS), id="one part, often"),
            pytest.param(doubling("anyOf", 8), id="a few choices"),
            pytest.param({"$id": "https://example.com/call", **of(ref("a"), a=ADDRESS)}, id="its name"),
            pytest.param(of({"properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}}), id="odd fields"),
            pytest.param(of({"$ref": "#/$defs/a~1b/anyOf/0"}, **{"a/b": {"anyOf": [ADDRESS]}}), id="a winding path"),
        ],
    )
    def test_may_refer_to_its_parts(self, schema: dict[str, Any]) -> None:
        assert compile_schema(schema).is_valid({})

    @pytest.mark.parametrize("keyword", ["anyOf", "oneOf", "allOf"])
    def test_may_not_double_its_work_again_and_again(self, keyword: str) -> None:
        with pytest.raises(UnusableSchema, match="multiply to more work"):
            compile_schema(doubling(keyword, 60))

    @pytest.mark.parametrize(
        "definitions",
        [
            {"node": {"anyOf": [_ONE_WAY, _ONE_WAY]}},
            {"node": {"allOf": [_ONE_WAY], **_ONE_WAY}},
            {"node": {"patternProperties": {"n": ref("node"), "t": ref("node")}}},
            {"node": {"anyOf": [_ONE_WAY, _OTHER_WAY]}, "other": {"anyOf": [_ONE_WAY, _OTHER_WAY]}},
            {"node": {"anyOf": [_ONE_WAY, {"properties": {"next": {"$ref": "#/$defs/n%6Fde"}}}]}},
        ],
    )
    def test_may_not_have_the_choice_between_ways_back_to_itself(self, definitions: dict[str, Any]) -> None:
        with pytest.raises(UnusableSchema):
            compile_schema(of(ref("node"), **definitions))

    @pytest.mark.parametrize(
        ("part", "why"),
        [
            ({"$ref": "https://example.com/schema"}, "is not followed"),
            ({"$ref": "file:///etc/passwd"}, "is not followed"),
            ({"$ref": "#elsewhere"}, "is not followed"),
            ({"$ref": "#/$defs/nobody"}, "leads nowhere"),
            ({"$dynamicRef": "#node"}, "written as"),
            ({"$id": "https://example.com/", "$ref": "#/$defs/a"}, "as a whole"),
        ],
    )
    def test_is_told_what_is_wrong_with_a_reference(self, part: dict[str, Any], why: str) -> None:
        with pytest.raises(UnusableSchema, match=why):
            compile_schema(of(part, a={}))
