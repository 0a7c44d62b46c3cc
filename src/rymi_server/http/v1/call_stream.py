"""`/v1/calls/:id/stream`: a call as it happens, as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Header
from fastapi.responses import Response, StreamingResponse
from starlette.types import Message, Send

from rymi_server.call_views.live_feed import TooManyStreams
from rymi_server.call_views.live_stream import Place
from rymi_server.calls.errors import UnknownCall
from rymi_server.http.documentation import WITH_SECRET_KEY, Documented, refusals
from rymi_server.http.edge import AskingDep
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import examples

log = structlog.get_logger(__name__)

# Who takes nothing for so long has gone, or might as well have.
_TAKES_WITHIN_SECONDS = 30

routes = APIRouter(prefix="/v1/calls", tags=["Calls"], route_class=SecretKeyRoute)

_STREAM: Documented = {
    200: {
        "description": "The stream. `status`, `event` and `transcript` are kept and come from the beginning, or from "
        "after `Last-Event-ID`; `draft`, `speaking`, `agent_state` pass by. No `transcript` comes after the `status` "
        "and the `event` of the call's end. `end` is the last; after `cut` come again with the last id.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": examples.STREAM}},
    },
    204: {"description": "The stream was read to its end."},
}


class EventStream(StreamingResponse):
    """Server-sent events that nobody in between keeps back, to a reader who keeps up."""

    def __init__(self, content: AsyncIterator[str]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(content, media_type="text/event-stream", headers=headers)

    async def stream_response(self, send: Send) -> None:
        async def sending(message: Message) -> None:
            async with asyncio.timeout(_TAKES_WITHIN_SECONDS):
                await send(message)

        try:
            await super().stream_response(sending)
        except TimeoutError:
            log.info("stream_reader_too_slow")


@routes.get(
    "/{call_id}/stream",
    operation_id="streamCall",
    summary="A call as it happens",
    status_code=200,
    response_class=StreamingResponse,
    responses={**_STREAM, **refusals(*WITH_SECRET_KEY, UnknownCall, TooManyStreams)},
)
async def stream_call(
    asking: AskingDep,
    call_id: str,
    last_event_id: Annotated[str | None, Header(description="The id of the last event that was read.")] = None,
) -> Response:
    place = Place.from_text(last_event_id)
    live, tenant_id = asking.edge.live_calls, asking.caller.tenant.id
    admitted = await live.admit(tenant_id, call_id)
    if place.ended:
        return Response(status_code=204)
    return EventStream(live.stream(tenant_id, admitted, place))
