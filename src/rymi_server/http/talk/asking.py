"""Who asks on the talk page: the bearer of a pass, of a publishable key, or of an invitation."""

from dataclasses import replace
from datetime import datetime

from fastapi import Request, Response
from fastapi.routing import APIRoute

from rymi_server.call_control.wanted import Caller
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, KeyId
from rymi_server.http.authentication import address, authenticate, bearer
from rymi_server.http.bodies import read
from rymi_server.http.edge import Asking, Edge
from rymi_server.http.routes import Endpoint
from rymi_server.http.talk.passes import Invitation, PassRefused, TalkPass, invitation_of, talk_pass_of
from rymi_server.keys.errors import PublishableKeyRefused
from rymi_server.keys.models import Audience, Channel, PublishableKey, is_publishable
from rymi_server.quotas.requests import count_request
from rymi_server.tenants import store as tenants
from rymi_server.tenants.errors import UnknownTenant

_LONGEST_PASS = 600
_ANY_AGENT = AgentId("")


class TalkRoute(APIRoute):
    """Asked for with a pass or a publishable key. Nothing of the body is looked at before."""

    def get_route_handler(self) -> Endpoint:
        answer = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            caller = await talker(request, edge)
            taken = await read(request, edge.limits.body_bytes)
            taken.state.asking = Asking(edge, caller, taken)
            return await answer(taken)

        return authenticated


class InvitedRoute(APIRoute):
    """Asked for with an invitation."""

    def get_route_handler(self) -> Endpoint:
        answer = super().get_route_handler()

        async def authenticated(request: Request) -> Response:
            edge: Edge = request.app.state.edge
            caller, invitation = await invited(request, edge)
            taken = await read(request, edge.limits.body_bytes)
            taken.state.asking = Asking(edge, caller, taken)
            taken.state.invitation = invitation
            return await answer(taken)

        return authenticated


async def talker(request: Request, edge: Edge) -> Caller:
    """A caller whose key allows browsers, and no phones. With a pass for all agents it has none of its own yet."""
    given = bearer(request, _LONGEST_PASS) or ""
    if is_publishable(given):
        caller = await authenticate(request, edge)
        if isinstance(caller.key, PublishableKey) and Channel.WEB not in caller.key.allowed_channels:
            raise PublishableKeyRefused("This publishable key does not allow the web channel.")
        return caller
    async with edge.database.single_statements() as tx:
        try:
            opens = talk_pass_of(edge.pepper, given, edge.clock.now())
        except PassRefused:
            await _count(tx, edge, f"guesses:{address(request)}", edge.limits.failed_logins_per_minute)
            raise
        return await _with_pass(tx, request, edge, opens)


async def invited(request: Request, edge: Edge) -> tuple[Caller, Invitation]:
    async with edge.database.single_statements() as tx:
        try:
            invitation = invitation_of(edge.pepper, bearer(request, _LONGEST_PASS) or "", edge.clock.now())
        except PassRefused:
            await _count(tx, edge, f"guesses:{address(request)}", edge.limits.failed_logins_per_minute)
            raise
        return await _with_pass(tx, request, edge, TalkPass(invitation.tenant_id)), invitation


def calling(caller: Caller, agent_id: str) -> Caller:
    """The caller of a pass, with the agent that was picked. Publishable keys, and passes for one agent, keep theirs."""
    key = caller.key
    if not isinstance(key, PublishableKey) or key.agent_id != _ANY_AGENT:
        return caller
    return Caller(caller.tenant, replace(key, agent_id=AgentId(agent_id)))


async def _with_pass(tx: Transaction, request: Request, edge: Edge, opens: TalkPass) -> Caller:
    await _count(tx, edge, f"talk:{opens.tenant_id}:{address(request)}", edge.limits.publishable_calls_per_minute)
    try:
        tenant = await tenants.find(tx, opens.tenant_id)
    except UnknownTenant as gone:
        raise PassRefused("This link does not open anything any more.") from gone
    return Caller(tenant, _key(opens, edge.clock.now()))


async def _count(tx: Transaction, edge: Edge, who: str, limit: int) -> None:
    await count_request(tx, who, limit, edge.clock.now())


def _key(opens: TalkPass, now: datetime) -> PublishableKey:
    """A pass can do what a publishable key for browsers can; so the gates of calls need to know of no other kind."""
    return PublishableKey(
        id=KeyId("talk"),
        tenant_id=opens.tenant_id,
        agent_id=opens.agent_id or _ANY_AGENT,
        prefix="",
        label="talk page",
        allowed_channels=frozenset({Channel.WEB}),
        audience=Audience.LANDING_DEMO,
        default_from_number=None,
        created_at=now,
        last_used_at=now,
    )
