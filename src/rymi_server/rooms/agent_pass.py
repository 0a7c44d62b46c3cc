"""What an agent shows when it speaks to us: a token for one call, which travels with its job."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from rymi_server.foundation.errors import Refused
from rymi_server.foundation.ids import CallId, TenantId

# Longer than any call, so that a late report of a long one is still let in.
LIVES = timedelta(hours=24)
_AUDIENCE = "rymi-agent"


class AgentPassRefused(Refused):
    """The agent's token is missing, wrong, expired, or for another call."""

    status, code = 401, "agent_pass_refused"

    def __init__(self) -> None:
        super().__init__("The agent's token is missing, wrong, expired, or for another call.")


@dataclass(frozen=True, slots=True)
class Pass:
    call_id: CallId
    tenant_id: TenantId


@dataclass(frozen=True, slots=True)
class AgentPasses:
    """Issues and reads passes with a key of their own."""

    key: bytes

    @classmethod
    def from_text(cls, secret: str) -> "AgentPasses":
        return cls(hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.agentpass").digest())

    def issue(self, call_id: CallId, tenant_id: TenantId, now: datetime) -> str:
        claims = {
            "aud": _AUDIENCE,
            "sub": call_id,
            "tenant": tenant_id,
            "exp": int((now + LIVES).timestamp()),
        }
        return jwt.encode(claims, self.key, algorithm="HS256")

    def read(self, token: str, now: datetime) -> Pass:
        """Raise `AgentPassRefused` for whatever is not ours or no longer good."""
        try:
            # The time is ours to judge by, because it is passed in.
            claims = jwt.decode(
                token,
                self.key,
                algorithms=["HS256"],
                audience=_AUDIENCE,
                options={"verify_exp": False, "require": ["aud", "sub", "exp", "tenant"]},
            )
            if now.timestamp() >= float(claims["exp"]):
                raise AgentPassRefused
            return Pass(CallId(claims["sub"]), TenantId(claims["tenant"]))
        except (jwt.InvalidTokenError, ValueError, TypeError) as error:
            raise AgentPassRefused from error
