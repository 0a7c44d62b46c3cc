"""What a customer asks for, read and checked, before anybody decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rymi_server.calls.models import Role, Transport
from rymi_server.keys.models import PublishableKey, SecretKey
from rymi_server.tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a tenant, by one of its keys."""

    tenant: Tenant
    key: SecretKey | PublishableKey


@dataclass(frozen=True, slots=True)
class OwnAgent:
    """A tenant's agent asks, of the call that it is in."""

    tenant: Tenant
    key: None = None


@dataclass(frozen=True, slots=True)
class WantedParticipant:
    """Somebody to have in the call. The identity of a phone is its number as E.164."""

    transport: Transport
    identity: str
    from_number: str | None = None
    role: Role = Role.CUSTOMER
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedCall:
    # None with a publishable key only, which knows its agent.
    agent_id: str | None
    participants: Sequence[WantedParticipant]
    metadata: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    post_call: dict[str, Any] = field(default_factory=dict)
    batch_id: str | None = None


def phones(participants: Sequence[WantedParticipant]) -> list[str]:
    return [p.identity for p in participants if p.transport is Transport.PSTN]
