"""`/talk`: the page, and what it asks for: which agents there are, a call with one of them, a place in a call."""

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from rymi_server.agents import store as agents
from rymi_server.agents.models import Agent
from rymi_server.call_control.create import CreatedCall
from rymi_server.call_control.wanted import Caller, WantedCall, WantedParticipant
from rymi_server.call_views.shapes import participant
from rymi_server.calls.models import Transport
from rymi_server.foundation.errors import NotFound
from rymi_server.foundation.pagination import Window
from rymi_server.http.edge import AskingDep, Edge
from rymi_server.http.talk.asking import InvitedRoute, TalkRoute, calling
from rymi_server.http.talk.demo import is_demo
from rymi_server.http.talk.passes import Invitation, invitation_pass
from rymi_server.http.v1.fields import RequestBody, Uuid
from rymi_server.keys.models import PublishableKey
from rymi_server.rooms.access import access_for

SITE = Path(__file__).parent / "site"
_MOST_AGENTS = Window(limit=100)
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
# Its own scripts and styles, any room server, and nobody else's frame around the button that opens a microphone.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "media-src blob: mediastream:; connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self)",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

routes = APIRouter(prefix="/talk", include_in_schema=False)
with_pass = APIRouter(prefix="/talk", include_in_schema=False, route_class=TalkRoute)
with_invitation = APIRouter(prefix="/talk", include_in_schema=False, route_class=InvitedRoute)

Name = Annotated[str, Field(min_length=1, max_length=60)]


class TalkCallBody(RequestBody):
    agent_id: Uuid
    name: Name


class TalkJoinBody(RequestBody):
    name: Name


@routes.get("")
async def get_page(request: Request) -> Response:
    return _file(request, "index.html")


@routes.get("/site/{name}")
async def get_file(request: Request, name: str) -> Response:
    return _file(request, name)


@with_pass.get("/agents")
async def get_agents(asking: AskingDep) -> JSONResponse:
    tenant_id, key = asking.caller.tenant.id, asking.caller.key
    async with asking.edge.database.transaction() as tx:
        if isinstance(key, PublishableKey) and key.agent_id:
            found = [await agents.get(tx, tenant_id, key.agent_id)]
        else:
            found = list((await agents.page(tx, tenant_id, _MOST_AGENTS)).rows)
    return JSONResponse({"agents": [_shown(each) for each in found]})


@with_pass.post("/calls")
async def post_call(asking: AskingDep, body: TalkCallBody) -> JSONResponse:
    caller = calling(asking.caller, body.agent_id)
    wanted = WantedCall(body.agent_id, [_browser(body.name)], metadata={"source": "talk"})
    async with asking.edge.database.transaction() as tx:
        created = await asking.edge.call_creator.create(tx, caller, wanted)
    return JSONResponse(_let_in(asking.edge, caller, created), status_code=201)


@with_invitation.post("/joins")
async def post_join(asking: AskingDep, request: Request, body: TalkJoinBody) -> JSONResponse:
    invitation: Invitation = request.state.invitation
    async with asking.edge.database.transaction() as tx:
        people = [_browser(body.name)]
        created = await asking.edge.participant_adder.add(tx, asking.caller, invitation.call_id, people)
    return JSONResponse(_let_in(asking.edge, asking.caller, created), status_code=201)


def _file(request: Request, name: str) -> Response:
    """Sent once, and again only where it has changed."""
    found = _site().get(name)
    if found is None:
        raise NotFound("There is no such path.")
    content, kind, tag = found
    headers = {**_HEADERS, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)


@cache
def _site() -> dict[str, tuple[bytes, str, str]]:
    """Every file by its name, with its kind and what its content is known by. Nothing else can be asked for."""
    files = {path.name: path.read_bytes() for path in SITE.iterdir() if path.suffix in _KINDS}
    return {
        name: (content, _KINDS[Path(name).suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')
        for name, content in files.items()
    }


def _shown(agent: Agent) -> dict[str, Any]:
    persona = agent.config.get("persona") or {}
    return {
        "id": agent.id,
        "name": agent.name,
        "about": " · ".join(str(persona[key]) for key in ("role", "companyName") if persona.get(key)),
        "demo": is_demo(agent.config),
    }


def _browser(name: str) -> WantedParticipant:
    """Two people may have one name, and an identity is nobody else's."""
    identity = f"{name.strip() or 'Guest'} {secrets.token_hex(2)}"
    return WantedParticipant(Transport.WEBRTC, identity, metadata={"name": name})


def _let_in(edge: Edge, caller: Caller, created: CreatedCall) -> dict[str, Any]:
    now = edge.clock.now()
    (seated,) = created.seated
    invitation = Invitation(caller.tenant.id, created.call.id)
    return {
        "call_id": created.call.id,
        "agent": {"id": created.agent["id"], "name": created.agent["name"], "demo": is_demo(created.agent)},
        "participant": participant(seated.participant, None, access_for(edge.livekit, seated.participant, now)),
        "invitation": invitation_pass(edge.pepper, invitation, now),
    }
