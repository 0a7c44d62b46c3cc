"""`/v1/realtime/token` and `/v1/webrtc/token`: removed. Whoever asks is told where to go, and needs no key for that."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from rymi_server.http.documentation import Documented
from rymi_server.http.edge import Edge
from rymi_server.http.v1.fields import ResponseBody

routes = APIRouter(prefix="/v1", tags=["Removed"])


class GoneBody(ResponseBody):
    error: str
    code: str
    message: str
    migration_url: str


def _gone(migration_url: str) -> dict[str, str]:
    return {
        "error": "Gone",
        "code": "realtime_token_removed",
        "message": "POST /v1/realtime/token has been removed. "
        "Initiate WebRTC sessions via POST /v1/calls with a webrtc participant.",
        "migration_url": migration_url,
    }


_DOCUMENTED: Documented = {
    410: {
        "model": GoneBody,
        "description": "Removed",
        "content": {"application/json": {"example": _gone("https://docs.rymi.io/api/calls#webrtc")}},
    }
}


@routes.post(
    "/realtime/token", operation_id="createRealtimeToken", deprecated=True, status_code=410, responses=_DOCUMENTED
)
@routes.post("/webrtc/token", operation_id="createWebrtcToken", deprecated=True, status_code=410, responses=_DOCUMENTED)
async def removed(request: Request) -> JSONResponse:
    edge: Edge = request.app.state.edge
    return JSONResponse(_gone(edge.migration_url), status_code=410)
