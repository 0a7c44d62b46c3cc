"""Every error that leaves the server is made here: `{"error": text, "code": word, …}`."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from rymi_server.foundation.errors import Refused, RymiError

log = structlog.get_logger(__name__)

_METHOD_NOT_ALLOWED = 405
_NO_SUCH = {404: ("not_found", "There is no such path."), 405: ("method_not_allowed", "This path has no such method.")}


def render_errors(app: FastAPI, routes: Sequence[Route]) -> None:
    """Have `app` answer every error in our form. `routes` are all that it can be asked for."""
    app.state.routes = routes
    app.add_exception_handler(RymiError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _bug)


def error_body(message: str, code: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"error": message, "code": code, **(details or {})}


def route_of(scope: MutableMapping[str, Any]) -> str:
    """The pattern of the path, for logs and metrics: a path itself may hold a phone number."""
    return getattr(scope.get("route"), "path", "unmatched")


def bug_response() -> JSONResponse:
    """What the asker sees of a bug: nothing but that it is ours."""
    return JSONResponse(error_body("Something went wrong on our side.", "internal_error"), status_code=500)


def error_response(error: RymiError, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(error_body(error.message, error.code, error.details), status_code=error.status, headers=headers)


async def _bug(_: Request, __: Exception) -> Response:
    """The framework answers with this and raises the bug again, for whoever logs it."""
    return bug_response()


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, RymiError)
    headers = error.headers() if isinstance(error, Refused) else {}
    if not isinstance(error, Refused):
        log.warning("request_failed", code=error.code, route=route_of(request.scope))
    return JSONResponse(error_body(error.message, error.code, error.details), status_code=error.status, headers=headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = [{"field": _field(each["loc"]), "message": _plain(each["msg"])} for each in error.errors()[:20]]
    first = details[0]
    message = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return JSONResponse(error_body(message, "validation_error", {"details": details}), status_code=400)


async def _framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = _NO_SUCH.get(error.status_code, ("http_error", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == _METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return JSONResponse(error_body(message, code), status_code=error.status_code, headers=headers)


def _methods_of(request: Request) -> set[str]:
    """All that this path can be asked for. The framework names those of the first route that has the path only.

    A path written out in full (`/v1/dnc/batch`) is not also the one with a parameter in its place (`/v1/dnc/{phone}`).
    """
    asked = {**request.scope, "method": "*"}
    matching = [route for route in request.app.state.routes if route.matches(asked)[0] is not Match.NONE]
    return {method for route in matching if route.path == matching[0].path for method in route.methods or ()}


def _plain(message: str) -> str:
    """Without what the validation library puts before our own sentences."""
    return message.removeprefix("Value error, ")


def _field(location: tuple[str | int, ...]) -> str:
    """`participants.0.identity`: without where in the request it stands, unless it is not the body."""
    parts = location[1:] if location and location[0] in ("body", "query", "path", "header") else location
    return ".".join(str(part) for part in parts)
