"""The API's document: complete, valid, and the one that is committed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from rymi_server.http.app import api
from rymi_server.http.bodies import MAY_HAVE_BODY

DOCUMENT = api().openapi()
COMMITTED = Path(__file__).parents[2] / "sdks" / "contract" / "openapi.json"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example in the document: where it stands, the schema that it must fit, and itself."""
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            for content in response.get("content", {}).values():
                shown = [content["example"]] if "example" in content else []
                shown += [each["value"] for each in content.get("examples", {}).values()]
                for number, example in enumerate(shown):
                    yield f"{method} {path} {status} {number}", content["schema"], example


class TestTheDocument:
    def test_is_openapi_3_1(self) -> None:
        assert DOCUMENT["openapi"].startswith("3.1")
        OpenAPIV31SpecValidator(DOCUMENT).validate()

    def test_names_every_operation_once(self) -> None:
        names = [operation["operationId"] for _, _, operation in operations()]
        assert len(names) == len(set(names))
        assert all(name[0].islower() and name.isalnum() for name in names)

    def test_has_an_example_for_every_status(self) -> None:
        shown = {where.rsplit(" ", 1)[0] for where, _, _ in examples()}
        documented = {
            f"{m} {p} {status}"
            for m, p, operation in operations()
            for status, response in operation["responses"].items()
            if "content" in response
        }
        assert documented - shown == set()

    def test_says_what_a_missing_key_gets_wherever_one_is_needed(self) -> None:
        open_to_all = {"createRealtimeToken", "createWebrtcToken", "listTelephonyProviders"}
        for _, _, operation in operations():
            needs_key = operation["operationId"] not in open_to_all
            assert ("401" in operation["responses"]) is needs_key
            assert ("security" in operation) is needs_key

    def test_says_that_a_body_may_be_too_large_wherever_one_is_read(self) -> None:
        for method, path, operation in operations():
            reads = method.upper() in MAY_HAVE_BODY and "410" not in operation["responses"]
            assert ("413" in operation["responses"]) is reads, f"{method} {path}"

    def test_never_mentions_the_framework_s_own_validation_errors(self) -> None:
        assert "HTTPValidationError" not in json.dumps(DOCUMENT)

    def test_is_the_one_that_is_committed(self) -> None:
        assert json.loads(COMMITTED.read_text()) == DOCUMENT, "run `make api`"


@pytest.mark.parametrize(("where", "schema", "example"), list(examples()), ids=[where for where, _, _ in examples()])
def test_every_example_fits_its_schema(where: str, schema: dict[str, Any], example: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    assert [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(example)] == [], where
