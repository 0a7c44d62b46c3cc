"""Puts the edge together: routes, errors, the document, and what stands around every request."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from rymi_server.foundation.object_storage.folder import FolderStorage
from rymi_server.http.carriers.callbacks import NotFromTheCarrier, refuse_stranger
from rymi_server.http.carriers.callbacks import routes as carrier_callbacks
from rymi_server.http.cross_origin import CrossOrigin
from rymi_server.http.documentation import describe
from rymi_server.http.draining import RefuseWhileDraining
from rymi_server.http.edge import Edge
from rymi_server.http.error_rendering import render_errors
from rymi_server.http.health import Readiness, health_routes
from rymi_server.http.internal import agents as internal_agents
from rymi_server.http.internal import livekit as internal_livekit
from rymi_server.http.observing import HttpMetrics, Observing
from rymi_server.http.stored_files import stored_files
from rymi_server.http.talk import routes as talk
from rymi_server.http.v1 import (
    agents,
    analytics,
    batches,
    billing,
    call_results,
    call_stream,
    calls,
    dnc,
    numbers,
    publishable_keys,
    realtime,
    secret_keys,
    telephony,
    transfers,
    webhook_deliveries,
    webhooks,
)

# The order matters where one path could be read as another: `/calls/queue/stats` before `/calls/{call_id}`.
PAGES = (
    batches.routes,
    call_results.routes,
    call_stream.routes,
    calls.with_any_key,
    calls.with_secret_key,
    transfers.routes,
    agents.routes,
    numbers.routes,
    telephony.routes,
    telephony.without_key,
    dnc.routes,
    secret_keys.routes,
    publishable_keys.routes,
    billing.routes,
    analytics.routes,
    webhook_deliveries.routes,
    webhooks.routes,
    realtime.routes,
)
INTERNAL = (internal_agents.routes, internal_livekit.routes)
TALK = (talk.routes, talk.with_pass, talk.with_invitation)


def api(edge: Edge | None = None, *, before: Sequence[APIRouter] = ()) -> FastAPI:
    """The API alone, but for what goes before it. Without an edge it answers nothing and serves for its document."""
    app = FastAPI(openapi_url="/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.edge = edge
    for page in (*before, *PAGES):
        app.include_router(page)
    routes = [route for page in PAGES for route in page.routes if isinstance(route, APIRoute)]
    render_errors(app, routes)
    describe(app, routes)
    return app


def server(edge: Edge, readiness: Readiness, registry: CollectorRegistry) -> ASGIApp:
    """The API as a process serves it."""
    # A dialed call is reported on several times, and each router that does not know a path takes its time to say so.
    app = api(edge, before=[carrier_callbacks])
    for routes in (*INTERNAL, *TALK):
        app.include_router(routes)
    app.add_exception_handler(NotFromTheCarrier, refuse_stranger)
    app.include_router(health_routes(readiness, registry))
    if isinstance(edge.storage, FolderStorage) and edge.storage.links:
        app.include_router(stored_files(edge.storage, edge.storage.links))
    return Observing(CrossOrigin(RefuseWhileDraining(app, edge.draining)), HttpMetrics(registry))
