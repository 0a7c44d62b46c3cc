"""`/internal/v1/calls/:id/…`: an agent is briefed, reports, and is told of. It shows its job's pass."""

import json

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError

from rymi_server.call_control import agent_reports, lost_agents
from rymi_server.call_control.briefing import briefing
from rymi_server.foundation.errors import Invalid
from rymi_server.http.bodies import read_bounded
from rymi_server.http.edge import Edge
from rymi_server.http.routes import Endpoint
from rymi_server.rooms.agent_pass import AgentPassRefused, Pass
from rymi_server.runtime.reports import Reports

# 500 reports, each with the longest line that there may be, do not fit; a batch that is too large can be halved.
_LARGEST_BATCH = 8_388_608


class AgentRoute(APIRoute):
    """Asked for by an agent, about its own call."""

    def get_route_handler(self) -> Endpoint:
        answer = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            request.state.agent_pass = _pass_of(request)
            structlog.contextvars.bind_contextvars(call_id=request.state.agent_pass.call_id)
            return await answer(request)

        return authenticated


routes = APIRouter(prefix="/internal/v1/calls", include_in_schema=False, route_class=AgentRoute)


@routes.get("/{call_id}/briefing")
async def get_briefing(request: Request) -> Response:
    edge: Edge = request.app.state.edge
    shown: Pass = request.state.agent_pass
    run = request.query_params.get("run")
    async with edge.database.transaction() as tx:
        told = await briefing(tx, shown.tenant_id, shown.call_id, run, edge.clock.now())
    return JSONResponse(told.model_dump(mode="json"))


@routes.post("/{call_id}/reports")
async def take_reports(request: Request) -> Response:
    edge: Edge = request.app.state.edge
    shown: Pass = request.state.agent_pass
    batch = _batch(await read_bounded(request, _LARGEST_BATCH))
    async with edge.database.transaction() as tx:
        answer = await agent_reports.take(tx, shown.tenant_id, shown.call_id, batch, edge.clock.now())
    return JSONResponse(answer.model_dump(mode="json"))


@routes.post("/{call_id}/runs/{run}/death", status_code=204)
async def hear_of_death(request: Request) -> Response:
    """Told by whoever found it. No report, because a report is a sign of life."""
    edge: Edge = request.app.state.edge
    shown: Pass = request.state.agent_pass
    run = request.path_params["run"]
    async with edge.database.transaction() as tx:
        await lost_agents.process_died(tx, shown.tenant_id, shown.call_id, run, edge.clock.now())
    return Response(status_code=204)


def _pass_of(request: Request) -> Pass:
    edge: Edge = request.app.state.edge
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise AgentPassRefused
    shown = edge.agent_passes.read(token.strip(), edge.clock.now())
    if shown.call_id != request.path_params["call_id"]:
        raise AgentPassRefused
    return shown


def _batch(raw: bytes) -> Reports:
    try:
        return Reports.model_validate(json.loads(raw))
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not valid JSON.", where="body") from error
