"""LiveKit's notices, made and signed as LiveKit does it."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import httpx
import jwt
from tests.support.asking import CLOCK, settings_for_tests

from rymi_server.foundation.ids import new_prefixed


def signed(raw: bytes, *, key: str | None = None, secret: str | None = None, minutes: float = 5) -> str:
    livekit = settings_for_tests().livekit()
    claims = {
        "iss": key or livekit.api_key,
        "exp": int((CLOCK.now() + timedelta(minutes=minutes)).timestamp()),
        "sha256": base64.b64encode(hashlib.sha256(raw).digest()).decode(),
    }
    return jwt.encode(claims, secret or livekit.api_secret, algorithm="HS256")


def notice(kind: str, call_id: str, participant: dict[str, Any] | None = None, *, id: str | None = None) -> bytes:
    told: dict[str, Any] = {"event": kind, "id": id or new_prefixed("EV"), "room": {"name": f"call_{call_id}"}}
    return json.dumps({**told, **({"participant": participant} if participant else {})}).encode()


def guest(participant: dict[str, Any], sid: str = "PA_1", **more: Any) -> dict[str, Any]:
    """A participant of an answer of ours as LiveKit describes it."""
    named = {"rymi.participant_id": participant["id"]}
    return {"identity": participant["identity"], "sid": sid, "attributes": named, **more}


async def tell(http: httpx.AsyncClient, raw: bytes, authorization: str | None = None) -> httpx.Response:
    headers = {"Authorization": signed(raw) if authorization is None else authorization}
    headers["Content-Type"] = "application/webhook+json"
    return await http.post("/internal/livekit/webhook", content=raw, headers=headers)
