"""Makes the OpenAPI document say all that the server does: every status, with an example of each."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from rymi_server.foundation.database import DatabaseUnreachable
from rymi_server.foundation.errors import Invalid, RymiError
from rymi_server.http.bodies import BodyTooLarge
from rymi_server.http.idempotency import IdempotencyInProgress, IdempotencyMismatch
from rymi_server.keys.errors import InvalidApiKey, PublishableKeyRefused
from rymi_server.quotas.errors import TooManyRequests

Documented = dict[int | str, dict[str, Any]]

# What any request with a key can meet.
WITH_KEY: tuple[type[RymiError], ...] = (InvalidApiKey, Invalid, TooManyRequests, DatabaseUnreachable)
WITH_SECRET_KEY: tuple[type[RymiError], ...] = (*WITH_KEY, PublishableKeyRefused)
WITH_BODY: tuple[type[RymiError], ...] = (BodyTooLarge,)
ONCE: tuple[type[RymiError], ...] = (IdempotencyInProgress, IdempotencyMismatch)

_MEANING = {
    400: "Validation error",
    401: "Missing or invalid API key",
    402: "Insufficient credits",
    403: "The key or the account may not do this",
    404: "Not found for this account",
    409: "In conflict with what is there",
    410: "Removed",
    413: "Body too large",
    422: "Idempotency-Key used for another request",
    429: "Too much at once; the Retry-After header says when to try again",
    500: "Somebody outside failed us",
    502: "Somebody outside failed us",
    503: "Not reachable right now; nothing was changed",
}


class ErrorDetail(BaseModel):
    field: str
    message: str


class ErrorBody(BaseModel):
    """Match on `code`; `error` is for people and may change."""

    model_config = ConfigDict(extra="allow")

    error: str = Field(description="What happened, in words.")
    code: str = Field(description="What happened, for programs.")
    details: list[ErrorDetail] | None = Field(default=None, description="With `validation_error`: each wrong field.")


def success(status: int, model: type[BaseModel], description: str, example: dict[str, Any]) -> Documented:
    """A good answer."""
    return {
        status: {
            "model": model,
            "description": description,
            "content": {"application/json": {"example": example}},
        }
    }


def refusals(*errors: type[RymiError]) -> Documented:
    """The bad answers that these errors make, several of one status side by side."""
    documented: Documented = {}
    for error in dict.fromkeys(errors):
        entry = documented.setdefault(
            error.status,
            {
                "model": ErrorBody,
                "description": _MEANING[error.status],
                "content": {"application/json": {"examples": {}}},
            },
        )
        examples = entry["content"]["application/json"]["examples"]
        examples[error.code] = {"value": {"error": _words(error), "code": error.code}}
    return documented


def describe(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Replace the framework's document by ours."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title="Rymi API",
                version="1",
                summary="Voice-AI calls: browsers and phones in one room with one agent.",
                routes=app.routes,
                openapi_version="3.1.0",
            )
            _restore_examples(routes, schema)
            app.openapi_schema = _ours(schema)
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = document  # type: ignore[method-assign]


def _ours(schema: dict[str, Any]) -> dict[str, Any]:
    schema["servers"] = [{"url": "/", "description": "This server"}]
    schema["components"]["securitySchemes"] = {
        "ApiKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "A secret key (`rymi_…`), or where it says so a publishable key (`sb_publishable_…`).",
        }
    }
    for path in schema["paths"].values():
        for operation in path.values():
            _without_framework_validation(operation)
            if "401" in operation["responses"]:
                operation["security"] = [{"ApiKey": []}]
    for unused in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(unused, None)
    return schema


def _restore_examples(routes: Sequence[APIRoute], schema: dict[str, Any]) -> None:
    """The framework drops every null from the document, and with it what our examples say by null."""
    for route in routes:
        for method in route.methods or ():
            responses = schema["paths"][route.path_format][method.lower()]["responses"]
            for status, documented in route.responses.items():
                shown = documented.get("content", {}).get("application/json")
                if shown is None:
                    continue
                responses[str(status)]["content"]["application/json"].update(shown)


def _without_framework_validation(operation: dict[str, Any]) -> None:
    """We answer 400. The framework documents a 422 of its own wherever we do not document one."""
    documented = operation["responses"].get("422", {})
    if "HTTPValidationError" in str(documented):
        del operation["responses"]["422"]


def _words(error: type[RymiError]) -> str:
    return (error.__doc__ or _MEANING[error.status]).strip().splitlines()[0]
