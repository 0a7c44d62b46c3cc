"""What a call looks like from outside, whole and in parts."""

from typing import Any, Literal

from pydantic import Field

from rymi_server.calls.models import CallStatus, Direction, IntelligenceStatus, ParticipantStatus, Role, Transport
from rymi_server.events.models import Level, Source
from rymi_server.http.v1.call_bodies import AgentName
from rymi_server.http.v1.fields import ResponseBody
from rymi_server.recordings.models import RecordingStatus
from rymi_server.telephony.models import LegStatus
from rymi_server.transcripts.models import Speaker


class EndedCallBody(ResponseBody):
    status: Literal["ended"]
    id: str
    message: str


class Segment(ResponseBody):
    speaker: Speaker
    text: str
    participant_id: str | None = Field(description="Who spoke.")
    identity: str | None
    sequence: int
    started_at_ms: int | None
    ended_at_ms: int | None
    is_final: bool
    source: str


class RawEntry(Segment):
    id: str
    type: Literal["user_input", "ai_response"]
    response: str


class TranscriptBody(ResponseBody):
    transcript: list[RawEntry]
    text: str
    segments: list[Segment]


class DetailTranscript(ResponseBody):
    text: str
    segments: list[Segment]
    raw: list[RawEntry]


class RecordingShown(ResponseBody):
    id: str
    status: RecordingStatus
    format: str
    provider_recording_id: str | None
    metadata: dict[str, Any]


class RecordingBody(ResponseBody):
    call_id: str
    recording: RecordingShown


class DeletedRecordingBody(ResponseBody):
    status: Literal["deleted"]
    call_id: str


class QualityBody(ResponseBody):
    call_id: str
    measured_at: str
    recorded: bool = Field(description="Whether there is a recording to listen to; else `heard` is null.")
    summary: dict[str, Any] = Field(description="Gaps, stops and cut-ins: count, p50, p95 and max, in milliseconds.")
    turns: list[dict[str, Any]]
    cut_ins: list[dict[str, Any]]


class SummaryBody(ResponseBody):
    status: IntelligenceStatus
    sentiment: str | None
    summary: str | None


class IntelligenceShown(ResponseBody):
    """The newest reading that has ended. While the call is read again, its own `intelligence_status` is `pending`."""

    status: IntelligenceStatus
    revision: int = Field(description="Which reading it is: 1 for the first, one more for each reprocessing.")
    summary: str | None
    sentiment: str | None
    structured_data: dict[str, Any] | None
    evaluation: dict[str, Any] | None
    errors: list[dict[str, Any]]
    details: dict[str, Any] = Field(description="Where each finding comes from: method, evidence, confidence.")


class EventBody(ResponseBody):
    id: str
    call_id: str
    level: Level
    source: Source
    message: str
    created_at: str


class EventListBody(ResponseBody):
    events: list[EventBody]
    total: int
    offset: int
    limit: int


class LegShown(ResponseBody):
    id: str
    provider: str | None
    provider_call_id: str | None
    direction: Direction
    status: LegStatus
    reason: str | None = Field(description="Why it failed.")
    cause: str | None = Field(description="How it ended, in the carrier's own words.")
    answered_by: Literal["human", "machine", "unknown"] | None
    from_number: str | None
    to_number: str
    bill_duration: int | None = Field(description="Billable seconds, as the carrier counts them.")
    cost: float | None = Field(description="What the carrier charges for the leg. It comes minutes after its end.")
    cost_currency: str | None = Field(description="What `cost` is counted in, such as `USD`.")


class TrackedParticipant(ResponseBody):
    id: str
    call_id: str
    role: Role
    transport: Transport
    identity: str
    status: ParticipantStatus
    metadata: dict[str, Any]
    leave_reason: str | None
    joined_at: str | None
    left_at: str | None
    telephony_leg: LegShown | None = Field(default=None, description="Phones only.")


class CallDetailBody(ResponseBody):
    id: str
    room_name: str
    agent_id: str
    agent: AgentName
    direction: Direction
    status: CallStatus
    end_reason: str | None
    intelligence_status: IntelligenceStatus
    bill_duration: int | None
    total_cost: float | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    metadata: dict[str, Any]
    variables: dict[str, Any]
    post_call: dict[str, Any]
    participants: list[TrackedParticipant]
    transcript: DetailTranscript | None
    recording: RecordingShown | None
    intelligence: IntelligenceShown | None
    events: list[EventBody]


class QueuedReprocessBody(ResponseBody):
    status: Literal["queued"]
    job_id: str
    message: str


class QueueStatsBody(ResponseBody):
    waiting: int
    active: int
    completed: int
    failed: int
