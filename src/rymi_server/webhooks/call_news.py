"""What a tenant is to be told of a call, as the call stands. Values in, values out.

Everything that has happened so far is said each time, in order; what was said before is known by its id. So nothing is
told twice or out of order, whichever of two facts is heard first, and what one lost is told with the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from rymi_server.call_views.shapes import instant
from rymi_server.calls.models import Call, CallStatus, EndReason, Participant, ParticipantStatus, Role
from rymi_server.webhooks.models import News
from rymi_server.webhooks.telling import event_id

# Older news has been told or given up, and its deliveries may have been forgotten.
_NEWS_FOR = timedelta(days=2)
_ORDER = (
    "call.started",
    "participant.joined",
    "participant.left",
    "agent.failed",
    "call.recording.ready",
    "call.failed",
    "call.completed",
    "call.intelligence.ready",
)
# Calls that ended because no agent could serve them to the end.
_NO_AGENT = (EndReason.AGENT_LOST, EndReason.AGENT_FAILED)


@dataclass(frozen=True, slots=True)
class AfterTheCall:
    """What came after a call: since when its recording is there, and when which run of the analysis ended."""

    done_at: datetime | None = None
    recording_ready_at: datetime | None = None
    recording: dict[str, Any] | None = None
    analysed_at: datetime | None = None
    revision: int | None = None


def news_of(
    call: Call, people: Sequence[Participant], after: AfterTheCall, data: dict[str, Any], now: datetime
) -> list[News]:
    """`data` describes the call; each piece of news adds its own to it."""
    told = [
        *_of_people(call, people, data),
        *_of_the_call(call, data),
        *(_after_the_call(call, after, data) if call.status is CallStatus.COMPLETED else []),
    ]
    return [each for each in sorted(told, key=_place) if each.at >= now - _NEWS_FOR]


def _place(news: News) -> tuple[datetime, int]:
    """Of what happened at the same moment, what led to the other comes first."""
    return news.at, _ORDER.index(news.event)


def _of_the_call(call: Call, data: dict[str, Any]) -> list[News]:
    told = []
    if call.started_at:
        told.append(_news("call.started", call, call.started_at, data))
    if call.end_reason in _NO_AGENT and call.ended_at:
        told.append(_news("agent.failed", call, call.ended_at, data))
    if call.status is CallStatus.FAILED and call.ended_at:
        told.append(_news("call.failed", call, call.ended_at, data))
    return told


def _of_people(call: Call, people: Sequence[Participant], data: dict[str, Any]) -> list[News]:
    told = []
    for person in people:
        if person.role is Role.AGENT:
            continue
        about = {**data, "participant": _person(person)}
        if person.joined_at:
            told.append(_news("participant.joined", call, person.joined_at, about, person.id))
        if person.left_at and person.status in (ParticipantStatus.LEFT, ParticipantStatus.FAILED):
            # The same text, and so the same id, in whatever zone it was read.
            left_at = person.left_at.astimezone(UTC).isoformat()
            told.append(_news("participant.left", call, person.left_at, about, person.id, left_at))
    return told


def _after_the_call(call: Call, after: AfterTheCall, data: dict[str, Any]) -> list[News]:
    told = []
    if after.recording_ready_at:
        about = {**data, "recording": after.recording}
        told.append(_news("call.recording.ready", call, after.recording_ready_at, about))
    if after.done_at:
        told.append(_news("call.completed", call, after.done_at, data))
        if after.analysed_at:
            at = max(after.analysed_at, after.done_at)
            told.append(_news("call.intelligence.ready", call, at, data, after.revision))
    return told


def _news(event: str, call: Call, at: datetime, data: dict[str, Any], *more: object) -> News:
    return News(event, event_id(call.id, event, *more), call.id, at, data)


def _person(person: Participant) -> dict[str, Any]:
    return {
        "id": person.id,
        "role": person.role,
        "transport": person.transport,
        "identity": person.identity,
        "status": person.status,
        "leave_reason": person.leave_reason,
        "joined_at": instant(person.joined_at),
        "left_at": instant(person.left_at),
    }
