"""LiveKit access tokens: who asks and what they may do, and fresh tokens for those who stay long."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import jwt
from google.protobuf import json_format
from livekit.protocol import models
from livekit.protocol import room as rooms_protocol

from roomlet.errors import NotPermitted, Unauthenticated

LEEWAY_SECONDS = 60
SHORTEST_REFRESH_SECONDS = 600
AGENT_TOKEN_SECONDS = 6 * 3600
WEBHOOK_TOKEN_SECONDS = 300
MOST_TOKEN_BYTES = 512 * 1024
"""Room for all that may be said of a participant, of which JSON can make thrice as much and base64 a third more."""
SOURCES = {
    "camera": models.TrackSource.CAMERA,
    "microphone": models.TrackSource.MICROPHONE,
    "screen_share": models.TrackSource.SCREEN_SHARE,
    "screen_share_audio": models.TrackSource.SCREEN_SHARE_AUDIO,
}
SOURCE_NAMES = {source: name for name, source in SOURCES.items()}


@dataclass(frozen=True, slots=True)
class Grants:
    """The `video` part of a token. What a token leaves out about publishing and subscribing is allowed."""

    room: str = ""
    room_join: bool = False
    room_create: bool = False
    room_list: bool = False
    room_admin: bool = False
    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True
    can_publish_sources: tuple[str, ...] = ()
    can_update_own_metadata: bool = False
    hidden: bool = False
    recorder: bool = False
    agent: bool = False

    def permission(self, is_agent: bool = False) -> models.ParticipantPermission:
        return models.ParticipantPermission(
            can_publish=self.can_publish,
            can_subscribe=self.can_subscribe,
            can_publish_data=self.can_publish_data,
            can_publish_sources=[SOURCES[name] for name in self.can_publish_sources if name in SOURCES],
            can_update_metadata=self.can_update_own_metadata,
            hidden=self.hidden,
            recorder=self.recorder,
            agent=self.agent or is_agent,
        )

    def changed_to(self, permission: models.ParticipantPermission) -> "Grants":
        return replace(
            self,
            can_publish=permission.can_publish,
            can_subscribe=permission.can_subscribe,
            can_publish_data=permission.can_publish_data,
            can_publish_sources=tuple(SOURCE_NAMES[s] for s in permission.can_publish_sources if s in SOURCE_NAMES),
            can_update_own_metadata=permission.can_update_metadata,
            hidden=permission.hidden,
            recorder=permission.recorder,
            agent=permission.agent,
        )

    def claims(self) -> dict[str, Any]:
        return {
            "room": self.room,
            "roomJoin": self.room_join,
            "canPublish": self.can_publish,
            "canSubscribe": self.can_subscribe,
            "canPublishData": self.can_publish_data,
            "canPublishSources": list(self.can_publish_sources),
            "canUpdateOwnMetadata": self.can_update_own_metadata,
            "hidden": self.hidden,
            "recorder": self.recorder,
            "agent": self.agent,
        }


@dataclass(frozen=True, slots=True)
class Claims:
    identity: str = ""
    name: str = ""
    metadata: str = ""
    kind: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    grants: Grants = field(default_factory=Grants)
    room_configuration: rooms_protocol.RoomConfiguration = field(default_factory=rooms_protocol.RoomConfiguration)
    expires_at: float = 0.0

    @property
    def room_to_join(self) -> str:
        if not self.grants.room_join or not self.grants.room or not self.identity:
            raise NotPermitted("permissions denied")
        return self.grants.room

    def must_administer(self, room: str) -> None:
        if not self.grants.room_admin or self.grants.room != room:
            raise NotPermitted("permissions denied: the token needs roomAdmin for this room")

    def must_create_rooms(self) -> None:
        if not self.grants.room_create:
            raise NotPermitted("permissions denied: the token needs roomCreate")

    def must_list_rooms(self) -> None:
        if not self.grants.room_list:
            raise NotPermitted("permissions denied: the token needs roomList")


class Keyring:
    """The one key pair of this server: reads tokens and writes them."""

    def __init__(self, key: str, secret: str) -> None:
        self._key, self._secret = key, secret

    def read(self, token: str) -> Claims:
        """Raises `Unauthenticated` for anything but a token of this server that is valid now."""
        if not token:
            raise Unauthenticated("no permissions to access the room: the token is missing")
        if len(token) > MOST_TOKEN_BYTES:
            raise Unauthenticated("invalid token: too long")
        try:
            body = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=self._key,
                leeway=LEEWAY_SECONDS,
                options={"verify_aud": False, "verify_iat": False, "verify_sub": False, "verify_jti": False},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise Unauthenticated(f"invalid token: {error}") from None
        return _claims(body)

    def refreshed(self, claims: Claims, now: float) -> str:
        """The same rights, valid as long as before and at least long enough to outlast the next refresh."""
        return self._sign(claims, max(claims.expires_at, now + SHORTEST_REFRESH_SECONDS))

    def for_agent(self, claims: Claims, now: float) -> str:
        return self._sign(claims, now + AGENT_TOKEN_SECONDS)

    def for_webhook(self, body: bytes, now: float) -> str:
        """Signs the body's digest, so that the receiver can tell it was not altered."""
        digest = b64encode(hashlib.sha256(body).digest()).decode()
        times = {"nbf": int(now) - LEEWAY_SECONDS, "exp": int(now + WEBHOOK_TOKEN_SECONDS)}
        return jwt.encode({"iss": self._key, "sha256": digest, **times}, self._secret, algorithm="HS256")

    def _sign(self, claims: Claims, expires_at: float) -> str:
        body = {
            "iss": self._key,
            "sub": claims.identity,
            "nbf": int(time.time()) - LEEWAY_SECONDS,
            "exp": int(expires_at),
            "name": claims.name,
            "metadata": claims.metadata,
            "kind": claims.kind,
            "attributes": dict(claims.attributes),
            "video": claims.grants.claims(),
            # Whoever comes back after a crash opens the room anew, and it must be the same.
            "roomConfig": json_format.MessageToDict(claims.room_configuration),
        }
        return jwt.encode(body, self._secret, algorithm="HS256")


def _claims(body: Mapping[str, Any]) -> Claims:
    video = body.get("video")
    return Claims(
        identity=_text(body, "sub"),
        name=_text(body, "name"),
        metadata=_text(body, "metadata"),
        kind=_text(body, "kind"),
        attributes=_texts(body.get("attributes")),
        grants=_grants(video if isinstance(video, Mapping) else {}),
        room_configuration=_room_configuration(body.get("roomConfig")),
        expires_at=float(body.get("exp") or 0),
    )


def _grants(video: Mapping[str, Any]) -> Grants:
    sources = video.get("canPublishSources")
    return Grants(
        room=_text(video, "room"),
        room_join=video.get("roomJoin") is True,
        room_create=video.get("roomCreate") is True,
        room_list=video.get("roomList") is True,
        room_admin=video.get("roomAdmin") is True,
        can_publish=_unless_denied(video, "canPublish"),
        can_subscribe=_unless_denied(video, "canSubscribe"),
        can_publish_data=_unless_denied(video, "canPublishData"),
        can_publish_sources=tuple(str(name).lower() for name in sources) if isinstance(sources, list) else (),
        can_update_own_metadata=video.get("canUpdateOwnMetadata") is True,
        hidden=video.get("hidden") is True,
        recorder=video.get("recorder") is True,
        agent=video.get("agent") is True,
    )


def _unless_denied(video: Mapping[str, Any], name: str) -> bool:
    value = video.get(name)
    return True if value is None else value is True


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): text for key, text in value.items() if isinstance(text, str)}


def _room_configuration(value: object) -> rooms_protocol.RoomConfiguration:
    configuration = rooms_protocol.RoomConfiguration()
    if isinstance(value, Mapping):
        try:
            json_format.ParseDict(dict(value), configuration, ignore_unknown_fields=True)
        except json_format.ParseError as error:
            raise Unauthenticated(f"invalid token: its room configuration cannot be read: {error}") from None
    return configuration
