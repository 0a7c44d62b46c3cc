"""The classes of routes. What a class demands happens before anything of the request's body is looked at."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.routing import APIRoute

from rymi_server.http.authentication import authenticate, require_secret
from rymi_server.http.bodies import read
from rymi_server.http.edge import Asking, Edge

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class AnyKeyRoute(APIRoute):
    """Asked for with any key of a tenant."""

    secret_only = False

    def get_route_handler(self) -> Endpoint:
        answer = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            caller = await authenticate(request, edge)
            structlog.contextvars.bind_contextvars(tenant_id=caller.tenant.id)
            if self.secret_only:
                require_secret(caller)
            if "call_id" in request.path_params:
                structlog.contextvars.bind_contextvars(call_id=request.path_params["call_id"][:64])
            taken = await read(request, edge.limits.body_bytes)
            taken.state.asking = Asking(edge, caller, taken)
            return await answer(taken)

        return authenticated


class SecretKeyRoute(AnyKeyRoute):
    """Asked for with a secret key only."""

    secret_only = True
