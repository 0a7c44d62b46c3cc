"""What an agent is told before it enters a room: the call as it was frozen, and what a predecessor left behind."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rymi_server.runtime.reports import Line


class Person(BaseModel):
    """Somebody who was invited. In the room people are told apart by identity: of phones it is the participant's id."""

    model_config = ConfigDict(frozen=True)

    participant_id: str
    identity: str
    room_identity: str
    role: Literal["customer", "observer"]
    transport: Literal["webrtc", "pstn", "sip"]


class Briefing(BaseModel):
    model_config = ConfigDict(frozen=True)

    call_id: str
    tenant_id: str
    room_name: str
    direction: Literal["inbound", "outbound"]
    # The agent's configuration (`docs/reference`: fields of the agents page) as it stood when the call was created.
    agent: dict[str, Any]
    variables: dict[str, Any]
    metadata: dict[str, Any]
    post_call: dict[str, Any]
    people: tuple[Person, ...]
    # When the call's clock started, which is when the first person was heard of in the room. None before that.
    clock_started_at: datetime | None
    # What was said before this agent came (after a crash), oldest first, and what its predecessor wanted remembered.
    said: tuple[Line, ...]
    memory: dict[str, Any] | None
