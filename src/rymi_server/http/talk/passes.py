"""Signed links of the talk page: who may talk to a tenant's agents, and who may come into one call.

A pass is an audience, an owner and an end, signed. Nothing is stored of it, so it cannot be taken back before its end
but with `RYMI_SECRET`; a publishable key can, and serves the page as well.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from rymi_server.foundation.errors import Refused
from rymi_server.foundation.ids import AgentId, CallId, TenantId

TALK_LIVES = timedelta(days=7)
# As long as a token for the room: nobody is let in by a link longer than those inside can stay.
INVITATION_LIVES = timedelta(hours=6)
_TALK, _INVITATION = "rymi-talk", "rymi-invitation"


class PassRefused(Refused):
    """The link is not one of ours, or its time is over."""

    status, code = 401, "pass_refused"


@dataclass(frozen=True, slots=True)
class TalkPass:
    """What a link opens: all agents of a tenant, or the one that is named."""

    tenant_id: TenantId
    agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    tenant_id: TenantId
    call_id: CallId


def talk_pass(pepper: bytes, opens: TalkPass, now: datetime, lives: timedelta = TALK_LIVES) -> str:
    """For whoever may talk by browser to a tenant's agents, or to one of them, at the tenant's cost."""
    one = {"agent": opens.agent_id} if opens.agent_id else {}
    return _signed(pepper, {"aud": _TALK, "sub": opens.tenant_id, **one}, now + lives)


def talk_pass_of(pepper: bytes, given: str, now: datetime) -> TalkPass:
    claims = _read(pepper, given, _TALK, now)
    return TalkPass(TenantId(claims["sub"]), AgentId(claims["agent"]) if "agent" in claims else None)


def invitation_pass(pepper: bytes, invitation: Invitation, now: datetime) -> str:
    """For whoever may come into one call by browser, while it lasts."""
    claims = {"aud": _INVITATION, "sub": invitation.tenant_id, "call": invitation.call_id}
    return _signed(pepper, claims, now + INVITATION_LIVES)


def invitation_of(pepper: bytes, given: str, now: datetime) -> Invitation:
    claims = _read(pepper, given, _INVITATION, now)
    return Invitation(TenantId(claims["sub"]), CallId(claims["call"]))


def talk_url(base_url: str, credential: str) -> str:
    """The page, for a pass or a publishable key. It stands behind `#`, which browsers send to nobody."""
    return f"{base_url.rstrip('/')}/talk#{credential}"


def _key(pepper: bytes) -> bytes:
    return hashlib.blake2b(pepper, digest_size=32, person=b"rymi.talk").digest()


def _signed(pepper: bytes, claims: dict[str, str], until: datetime) -> str:
    return jwt.encode({**claims, "exp": int(until.timestamp())}, _key(pepper), algorithm="HS256")


def _read(pepper: bytes, given: str, audience: str, now: datetime) -> dict[str, str]:
    try:
        claims: dict[str, str] = jwt.decode(
            given,
            _key(pepper),
            algorithms=["HS256"],
            audience=audience,
            # Held against our own clock below.
            options={"verify_exp": False, "require": ["exp", "sub", "aud"]},
        )
    except jwt.InvalidTokenError as wrong:
        raise PassRefused("This link does not open anything.") from wrong
    if int(claims["exp"]) <= now.timestamp():
        raise PassRefused("The time of this link is over. Ask for another one.")
    return claims
