"""What a participant needs to enter a room: where it is, and a token that opens it."""

import json
from datetime import timedelta
from typing import Any

from livekit.api import AccessToken, VideoGrants

from rymi_server.calls.models import Participant, Role
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.naming import room_name

TOKEN_LIVES = timedelta(hours=6)
PARTICIPANT_ATTRIBUTE = "rymi.participant_id"


def access_for(livekit: LiveKit, participant: Participant) -> dict[str, str]:
    """The URL and the token. Observers may listen and never speak."""
    speaks = participant.role is not Role.OBSERVER
    grants = VideoGrants(
        room_join=True,
        room=room_name(participant.call_id),
        can_subscribe=True,
        can_publish=speaks,
        # LiveKit lets a list of sources win over `can_publish`, so a listener must not have one.
        can_publish_sources=["microphone"] if speaks else None,
        can_publish_data=speaks,
    )
    token = (
        AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(participant.identity)
        .with_ttl(TOKEN_LIVES)
        .with_grants(grants)
        .with_attributes({PARTICIPANT_ATTRIBUTE: participant.id})
        .with_metadata(_metadata(participant.metadata))
    )
    return {"url": livekit.public_url, "token": token.to_jwt()}


def _metadata(metadata: dict[str, Any]) -> str:
    return json.dumps(metadata) if metadata else ""
