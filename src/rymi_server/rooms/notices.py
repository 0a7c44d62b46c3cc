"""LiveKit's notices: who sent one, what it says, and whether it was heard before. What follows is decided elsewhere."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.calls.models import LeaveReason
from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.errors import Invalid, Refused
from rymi_server.foundation.ids import CallId, is_uuid
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.naming import PARTICIPANT_ATTRIBUTE, call_of_room

_KEPT_FOR = timedelta(days=1)
_LEEWAY_SECONDS = 300

livekit_notices = sa.Table(
    "livekit_notices",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
)

# LiveKit's reasons by number, for senders that write enums so.
_REASON_NUMBERS = (
    *("UNKNOWN_REASON", "CLIENT_INITIATED", "DUPLICATE_IDENTITY", "SERVER_SHUTDOWN", "PARTICIPANT_REMOVED"),
    *("ROOM_DELETED", "STATE_MISMATCH", "JOIN_FAILURE", "MIGRATION", "SIGNAL_CLOSE", "ROOM_CLOSED"),
    *("USER_UNAVAILABLE", "USER_REJECTED", "SIP_TRUNK_FAILURE", "CONNECTION_TIMEOUT", "MEDIA_FAILURE", "AGENT_ERROR"),
)
_LEAVE_REASONS = {
    "CLIENT_INITIATED": LeaveReason.USER_DISCONNECT,
    "PARTICIPANT_REMOVED": LeaveReason.REMOVED,
    "ROOM_DELETED": LeaveReason.CALL_ENDED,
    "ROOM_CLOSED": LeaveReason.CALL_ENDED,
}


class NoticeRefused(Refused):
    """The notice was not signed by the LiveKit server that we know, or is not the one that was signed."""

    status, code = 401, "notice_refused"

    def __init__(self) -> None:
        super().__init__("The notice was not signed with the API secret of our LiveKit server.")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened in a room of ours."""

    id: str
    kind: str
    call_id: CallId
    # Nobody, where it is about the room; `participant_id` is what the token named, or a phone's or agent's identity.
    identity: str | None
    participant_id: str | None
    sid: str
    leave_reason: LeaveReason


def read_notice(raw: bytes, authorization: str, livekit: LiveKit, now: datetime) -> Notice | None:
    """None for a room that is none of ours. Raise `NoticeRefused` before anything of the body is looked at."""
    _refuse_unsigned(raw, authorization, livekit, now)
    try:
        told = json.loads(raw)
        return _notice(told)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("This is no notice of LiveKit.", where="body") from error


async def is_news(tx: Transaction, notice: Notice, now: datetime) -> bool:
    """Whether it is heard for the first time. Another one of the same id waits until this transaction has ended."""
    adding = insert(livekit_notices).values(id=notice.id, received_at=now).on_conflict_do_nothing()
    return (await tx.execute(adding.returning(livekit_notices.c.id))).one_or_none() is not None


async def forget_old_notices(tx: Transaction, now: datetime) -> None:
    await tx.execute(livekit_notices.delete().where(livekit_notices.c.received_at < now - _KEPT_FOR))


def _refuse_unsigned(raw: bytes, authorization: str, livekit: LiveKit, now: datetime) -> None:
    """LiveKit signs a token that holds the body's hash. It sends it bare; proxies may have made it a bearer token."""
    token = authorization.removeprefix("Bearer ").strip()
    try:
        # The time is ours to judge by, because it is passed in.
        claims = jwt.decode(
            token,
            livekit.api_secret,
            algorithms=["HS256"],
            issuer=livekit.api_key,
            options={"verify_exp": False, "verify_nbf": False, "verify_aud": False, "require": ["exp", "sha256"]},
        )
        expired = float(claims["exp"]) + _LEEWAY_SECONDS < now.timestamp()
        signed = base64.b64decode(str(claims["sha256"]), validate=True)
    except (jwt.InvalidTokenError, ValueError, TypeError) as error:
        raise NoticeRefused from error
    if expired or not hmac.compare_digest(signed, hashlib.sha256(raw).digest()):
        raise NoticeRefused


def _notice(told: dict[str, Any]) -> Notice | None:
    call_id = call_of_room(told.get("room", {}).get("name", ""))
    if call_id is None:
        return None
    who = told.get("participant") or {}
    identity = who.get("identity")
    named = (who.get("attributes") or {}).get(PARTICIPANT_ATTRIBUTE) or identity
    return Notice(
        id=str(told["id"])[:200],
        kind=str(told["event"]),
        call_id=call_id,
        identity=identity,
        participant_id=named if named and is_uuid(named) else None,
        sid=str(who.get("sid", "")),
        leave_reason=_leave_reason(who.get("disconnectReason") or who.get("disconnect_reason")),
    )


def _leave_reason(word: Any) -> LeaveReason:
    if isinstance(word, int) and 0 <= word < len(_REASON_NUMBERS):
        word = _REASON_NUMBERS[word]
    return (
        _LEAVE_REASONS.get(word, LeaveReason.CONNECTION_LOST) if isinstance(word, str) else LeaveReason.USER_DISCONNECT
    )
