"""Who asks: the bearer key of a request, recognised by its digest."""

from fastapi import Request

from rymi_server.call_control.callers import caller_with
from rymi_server.call_control.wanted import Caller
from rymi_server.foundation.database import Transaction
from rymi_server.http.edge import Edge
from rymi_server.keys.errors import InvalidApiKey, PublishableKeyRefused
from rymi_server.keys.models import Audience, PublishableKey
from rymi_server.keys.store import note_use
from rymi_server.quotas.requests import count_request

_LONGEST_KEY = 200


async def authenticate(request: Request, edge: Edge) -> Caller:
    """Raise `InvalidApiKey`, or `TooManyRequests` for who guesses keys or asks beyond their plan."""
    plaintext = bearer(request)
    now = edge.clock.now()
    async with edge.database.single_statements() as tx:
        caller = await caller_with(tx, plaintext, edge.pepper, now) if plaintext else None
        if caller is not None:
            await _keep_to_plan(tx, request, edge, caller)
            await note_use(tx, caller.key, now)
            return caller
        guesser = f"guesses:{address(request)}"
        await count_request(tx, guesser, edge.limits.failed_logins_per_minute, now)
    raise InvalidApiKey("Missing API key." if plaintext is None else "This API key is not valid.")


def require_secret(caller: Caller) -> None:
    if isinstance(caller.key, PublishableKey):
        raise PublishableKeyRefused("A publishable key may only create calls. Use a secret key from your server.")


async def _keep_to_plan(tx: Transaction, request: Request, edge: Edge, caller: Caller) -> None:
    now = edge.clock.now()
    plan = edge.plans.of(caller.tenant.plan)
    if plan.requests_per_minute is not None:
        limit = plan.requests_per_minute + plan.burst
        await count_request(tx, f"tenant:{caller.tenant.id}", limit, now)
    if isinstance(caller.key, PublishableKey):
        who = f"publishable:{caller.key.id}:{address(request)}"
        # A key on a page for everybody is tried by everybody.
        for_everybody = caller.key.audience is Audience.LANDING_DEMO
        limits = edge.limits
        limit = limits.landing_demo_calls_per_minute if for_everybody else limits.publishable_calls_per_minute
        await count_request(tx, who, limit, now)


def bearer(request: Request, longest: int = _LONGEST_KEY) -> str | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    return key if scheme.lower() == "bearer" and key and len(key) <= longest else None


def address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
