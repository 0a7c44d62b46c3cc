"""What is sent to and answered by the pages of secret and publishable keys."""

from typing import Annotated, Literal

from pydantic import Field

from rymi_server.http.v1.fields import Phone, RequestBody, ResponseBody, Uuid

LABEL_UNLESS_SAID = "API key"
LONGEST_GRACE_SECONDS = 86_400

Label = Annotated[str, Field(min_length=1, max_length=100)]
ChannelName = Literal["web", "phone"]
AudienceName = Literal["sdk", "landing_demo"]


class NewKeyBody(RequestBody):
    label: Label | None = Field(default=None, description=f"`{LABEL_UNLESS_SAID}` unless something else is said.")


class RotationBody(RequestBody):
    grace_seconds: int = Field(
        default=0, ge=0, le=LONGEST_GRACE_SECONDS, description="How long the replaced key still works."
    )


class NewPublishableKeyBody(RequestBody):
    agent_id: Uuid
    label: Label
    allowed_channels: Annotated[list[ChannelName], Field(min_length=1, max_length=2)] | None = Field(
        default=None, description='`["web"]` unless something else is said.'
    )
    audience: AudienceName | None = Field(default=None, description="`sdk` unless something else is said.")
    default_from_number: Phone | None = Field(default=None, description="Caller ID of its phone calls.")


# --- answers ---------------------------------------------------------------------------------------------------------


class MeBody(ResponseBody):
    id: str = Field(description="The account.")
    api_key_prefix: str = Field(description="The beginning of the key that asks.")
    telephony_provider: str | None
    plivo_connected: bool
    plivo_account_name: str | None
    plivo_account_country: str | None


class KeyBody(ResponseBody):
    id: str
    key_prefix: str
    label: str
    last_used_at: str | None
    created_at: str
    revoked_at: str | None = Field(description="Until when a key that was replaced still works; else null.")


class KeyListBody(ResponseBody):
    keys: list[KeyBody]
    total: int
    offset: int
    limit: int


class CreatedKeyBody(KeyBody):
    api_key: str = Field(description="The key. It is shown this once.")
    key: str = Field(description="The same as `api_key`.")


class ReplacedKeyBody(ResponseBody):
    id: str
    revoked_at: str = Field(description="From when on it is refused.")


class RotatedKeyBody(CreatedKeyBody):
    replaced: ReplacedKeyBody


class RevokedKeyBody(ResponseBody):
    status: Literal["revoked"]
    id: str


class CreatedPublishableKeyBody(ResponseBody):
    id: str
    key: str = Field(description="The key. It is shown this once.")
    key_prefix: str
    agent_id: str
    label: str
    allowed_channels: list[ChannelName]
    audience: AudienceName
    default_from_number: str | None
    created_at: str


class PublishableKeyBody(ResponseBody):
    id: str
    key_prefix: str
    agent_id: str
    label: str
    allowed_channels: list[ChannelName]
    audience: AudienceName
    default_from_number: str | None
    last_used_at: str | None
    created_at: str


class PublishableKeyListBody(ResponseBody):
    keys: list[PublishableKeyBody]
    total: int
    offset: int
    limit: int


class RevokedPublishableKeyBody(ResponseBody):
    success: Literal[True]
