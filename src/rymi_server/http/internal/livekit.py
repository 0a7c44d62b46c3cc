"""`/internal/livekit/webhook`: LiveKit's notices of rooms, verified before anything of them is read."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from rymi_server.call_control.notices import hear
from rymi_server.http.bodies import read_bounded
from rymi_server.http.edge import Edge
from rymi_server.rooms.notices import read_notice

_LARGEST_NOTICE = 262_144

routes = APIRouter(prefix="/internal/livekit", include_in_schema=False)


@routes.post("/webhook")
async def hear_notice(request: Request) -> Response:
    edge: Edge = request.app.state.edge
    raw = await read_bounded(request, _LARGEST_NOTICE)
    notice = read_notice(raw, request.headers.get("authorization", ""), edge.livekit, edge.clock.now())
    if notice is not None:
        async with edge.database.transaction() as tx:
            await hear(tx, notice, edge.clock.now())
    return JSONResponse({"status": "heard"})
