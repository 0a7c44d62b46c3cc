"""What a participant needs to enter a room: where it is, and a token that opens it."""

import json
from datetime import datetime, timedelta

import jwt

from rymi_server.calls.models import Participant, Role
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.naming import PARTICIPANT_ATTRIBUTE, room_name

TOKEN_LIVES = timedelta(hours=6)


def access_for(livekit: LiveKit, participant: Participant, now: datetime) -> dict[str, str]:
    """The URL and the token. Observers may listen and never speak."""
    speaks = participant.role is not Role.OBSERVER
    grants = {
        "room": room_name(participant.call_id),
        "roomJoin": True,
        "canSubscribe": True,
        "canPublish": speaks,
        "canPublishData": speaks,
        # LiveKit lets a list of sources win over `canPublish`, so a listener must not have one.
        **({"canPublishSources": ["microphone"]} if speaks else {}),
    }
    claims = {
        "iss": livekit.api_key,
        "sub": participant.identity,
        "nbf": int(now.timestamp()),
        "exp": int((now + TOKEN_LIVES).timestamp()),
        "video": grants,
        "attributes": {PARTICIPANT_ATTRIBUTE: participant.id},
        "metadata": json.dumps(participant.metadata) if participant.metadata else "",
    }
    # Not LiveKit's own AccessToken, which takes several times as long over the same few claims.
    return {"url": livekit.public_url, "token": jwt.encode(claims, livekit.api_secret, algorithm="HS256")}
