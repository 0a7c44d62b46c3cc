"""Whether the server lives, whether it can work, and its numbers. Asked without a key, by machines on the inside."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Missing:
    """Something without which work cannot be done, and how to mend it."""

    what: str
    mend: str


Readiness = Callable[[], Awaitable[list[Missing]]]
Measure = Callable[[], Awaitable[None]]


async def _measure_nothing() -> None:
    """For numbers that keep themselves."""


def health_routes(readiness: Readiness, registry: CollectorRegistry, measure: Measure = _measure_nothing) -> APIRouter:
    """`measure` brings those numbers of `registry` up to date that must be asked for."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/healthz")
    async def alive() -> Response:
        return JSONResponse({"status": "ok"})

    @routes.get("/readyz")
    async def ready() -> Response:
        missing = await readiness()
        if missing:
            body = {"status": "not_ready", "missing": [{"what": each.what, "mend": each.mend} for each in missing]}
            return JSONResponse(body, status_code=503)
        return JSONResponse({"status": "ready"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        await measure()
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
