"""Lets a carrier's REST fail as ordered: errors, silence, or an answer that is lost after the deed was done."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from carrierbox.clock import Clock, sleep
from carrierbox.delivery.faults import Act, FaultBook, Target


def faulty(carrier: str, faults: FaultBook, clock: Clock) -> Middleware:
    """A middleware. The operation that a fault names is the name of the route."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        operation = request.match_info.route.name or "unknown"
        fault = faults.take(Target.REST, carrier, None, operation)
        if fault is None:
            return await handler(request)
        if fault.act is Act.STATUS:
            kind = "text/html" if fault.body.startswith("<") else "application/json"
            return web.Response(status=fault.status, text=fault.body or "{}", content_type=kind)
        if fault.act is not Act.HANG:
            answer = await handler(request) if fault.act is Act.HANG_AFTER else None
            await sleep(clock, fault.ms / 1000)
            if answer is None:
                return await handler(request)
        else:
            await sleep(clock, fault.ms / 1000)
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError

    return middleware
