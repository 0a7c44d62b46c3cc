"""NCCO: a list of actions as JSON."""

import json
from typing import Any

from rymi_server.telephony.carriers.carrier import Document, MediaOffer
from rymi_server.telephony.carriers.media import TOKEN_PARAMETER

CONTENT_TYPE = "audio/l16;rate=16000"


def connect(offer: MediaOffer, *, is_signed: bool) -> Document:
    """Where Vonage can sign for us to check, it signs the handshake; else it brings our own token."""
    proof = {"type": "vonage"} if is_signed else {"type": "custom", "value": f"Bearer {offer.token}"}
    socket = {
        "type": "websocket",
        "uri": offer.url,
        "content-type": CONTENT_TYPE,
        "headers": {TOKEN_PARAMETER: offer.token},
        "authorization": proof,
    }
    said = [_talk(offer.say_first)] if offer.say_first else []
    return _ncco(*said, {"action": "connect", "eventUrl": [offer.stream_status_url], "endpoint": [socket]})


def refuse(words: str) -> Document:
    """Vonage has no busy signal: it answers, says why, and hangs up."""
    return _ncco(_talk(words))


def hang_up() -> Document:
    return _ncco()


def forward(to_number: str, from_number: str | None) -> Document:
    caller = {"from": from_number.removeprefix("+")} if from_number else {}
    return _ncco(
        {"action": "connect", **caller, "endpoint": [{"type": "phone", "number": to_number.removeprefix("+")}]}
    )


def _talk(words: str) -> dict[str, Any]:
    return {"action": "talk", "text": words}


def _ncco(*actions: dict[str, Any]) -> Document:
    return Document(json.dumps(actions), "application/json")
