"""API keys. The plaintext exists once, in the answer that creates the key; what is stored recognises it."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.foundation.database import metadata
from rymi_server.foundation.ids import AgentId, KeyId, TenantId

SECRET_PREFIX = "rymi_"
PUBLISHABLE_PREFIX = "sb_publishable_"
# Publishable keys once began so; customers' pages still carry them.
LEGACY_PUBLISHABLE_PREFIX = "rymi_pk_"
_SHOWN = 5

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)

publishable_keys = sa.Table(
    "publishable_keys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), nullable=False),
    sa.Column("agent_id", sa.Uuid(as_uuid=False), sa.ForeignKey("agents.id"), nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("allowed_channels", ARRAY(sa.Text), nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("default_from_number", sa.Text),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("last_used_at", sa.DateTime(timezone=True)),
    sa.Column("revoked_at", sa.DateTime(timezone=True)),
)


class Channel(StrEnum):
    WEB = "web"
    PHONE = "phone"


class Audience(StrEnum):
    SDK = "sdk"
    LANDING_DEMO = "landing_demo"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Full power over one tenant; for servers only."""

    id: KeyId
    tenant_id: TenantId
    prefix: str
    label: str
    created_at: datetime
    last_used_at: datetime | None
    # In the future for a key that was replaced and may still be used for a while.
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class PublishableKey:
    """May create calls to one agent over the channels it allows, and nothing else; for browsers."""

    id: KeyId
    tenant_id: TenantId
    agent_id: AgentId
    prefix: str
    label: str
    allowed_channels: frozenset[Channel]
    audience: Audience
    default_from_number: str | None
    created_at: datetime
    last_used_at: datetime | None


def new_secret_key() -> str:
    return SECRET_PREFIX + secrets.token_hex(32)


def new_publishable_key() -> str:
    return PUBLISHABLE_PREFIX + secrets.token_hex(32)


def is_publishable(plaintext: str) -> bool:
    return plaintext.startswith((PUBLISHABLE_PREFIX, LEGACY_PUBLISHABLE_PREFIX))


def shown_prefix(plaintext: str) -> str:
    """So much of a key that its owner recognises it, and nobody can use it."""
    for prefix in (PUBLISHABLE_PREFIX, LEGACY_PUBLISHABLE_PREFIX, SECRET_PREFIX):
        if plaintext.startswith(prefix):
            return plaintext[: len(prefix) + _SHOWN]
    return plaintext[:_SHOWN]


def digest(plaintext: str, pepper: bytes) -> bytes:
    """Keys have 256 random bits, so one keyed hash is enough; the pepper makes a stolen table useless."""
    return hmac.digest(pepper, plaintext.encode(), hashlib.sha256)
