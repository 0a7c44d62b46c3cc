"""Lets a carrier's REST fail as ordered: errors, silence, or an answer that is late or lost after the deed was done."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from carrierbox.clock import Clock, sleep
from carrierbox.delivery.faults import Act, Fault, FaultBook, Target


def faulty(carrier: str, faults: FaultBook, clock: Clock) -> Middleware:
    """A middleware. The operation that a fault names is the name of the route."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = request.match_info.route.name or "unknown"
        fault = faults.take(Target.REST, carrier, None, operation)
        if fault is None:
            return await handler(request)
        if fault.act is Act.STATUS:
            return _error(fault)
        answer = None if fault.act is Act.HANG else await handler(request)
        await sleep(clock, fault.ms / 1000)
        if answer is not None and fault.act is Act.DELAY:
            return answer
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError

    return middleware


def _error(fault: Fault) -> web.Response:
    kind = "text/html" if fault.body.startswith("<") else "application/json"
    return web.Response(status=fault.status, text=fault.body or "{}", content_type=kind)
