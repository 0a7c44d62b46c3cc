"""What is sent to and answered by the calls pages."""

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from rymi_server.call_control.wanted import WantedCall, WantedParticipant
from rymi_server.calls.models import CallStatus, Role, Transport
from rymi_server.foundation.phone_number import normalize
from rymi_server.http.v1.fields import JsonObject, Phone, RequestBody, ResponseBody, ShortText, Uuid

MOST_PARTICIPANTS = 50


class Switch(RequestBody):
    enabled: bool | None = None


class Summary(Switch):
    prompt: str | None = Field(default=None, max_length=20_000)


class Extraction(Switch):
    json_schema: JsonObject | None = None
    prompt: str | None = Field(default=None, max_length=20_000)


class Evaluation(Switch):
    criteria: str | None = Field(default=None, max_length=20_000)
    rubric: str | None = Field(default=None, max_length=20_000, description="Another word for `criteria`.")


class AnalysisModel(RequestBody):
    provider: str | None = Field(default=None, max_length=64)
    model: str | None = Field(default=None, max_length=128)


class PostCall(RequestBody):
    """What to do after the call. What stands here wins over the agent's defaults, field by field."""

    recording: Switch | None = None
    summary: Summary | None = None
    structured_extraction: Extraction | None = None
    evaluation: Evaluation | None = None
    model: AnalysisModel | None = None

    def said(self) -> dict[str, Any]:
        """Only what was sent, so that silence leaves a default as it is."""
        return self.model_dump(exclude_unset=True)


class ParticipantBody(RequestBody):
    transport: Literal["webrtc", "pstn"] = Field(description="`webrtc` for a browser, `pstn` for a phone.")
    identity: ShortText = Field(description="A name of your choice for a browser; the phone's number in E.164.")
    from_number: Phone | None = Field(
        default=None, description="Caller ID of a phone. The account's default otherwise."
    )
    role: Literal["customer", "observer"] = Field(default="customer", description="An observer listens, never speaks.")
    metadata: JsonObject | None = None

    @field_validator("identity")
    @classmethod
    def _on_one_line(cls, identity: str) -> str:
        if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in identity):
            raise ValueError("an identity is one line, without control characters")
        return identity

    @model_validator(mode="after")
    def _phone_has_a_number(self) -> "ParticipantBody":
        if self.transport == "pstn":
            number = normalize(self.identity)
            if number is None:
                raise ValueError("the identity of a phone is its number in international form, such as +15551234567")
            self.identity = number
        elif self.from_number is not None:
            raise ValueError("only a phone has a from_number")
        return self

    def wanted(self) -> WantedParticipant:
        return WantedParticipant(
            Transport(self.transport), self.identity, self.from_number, Role(self.role), self.metadata or {}
        )


Participants = Annotated[list[ParticipantBody], Field(min_length=1, max_length=MOST_PARTICIPANTS)]


def each_once(participants: list[ParticipantBody]) -> list[ParticipantBody]:
    identities = [(p.transport, p.identity) for p in participants]
    if len(set(identities)) < len(identities):
        raise ValueError("every participant needs an identity of its own")
    return participants


class ParticipantsBody(RequestBody):
    participants: Participants

    @model_validator(mode="after")
    def _each_once(self) -> "ParticipantsBody":
        each_once(self.participants)
        return self


class CallBody(ParticipantsBody):
    agent_id: Uuid | None = Field(
        default=None, description="Required, except with a publishable key, which has its own."
    )
    metadata: JsonObject | None = None
    variables: JsonObject | None = None
    post_call: PostCall | None = None

    def wanted(self) -> WantedCall:
        return WantedCall(
            agent_id=self.agent_id,
            participants=[participant.wanted() for participant in self.participants],
            metadata=self.metadata or {},
            variables=self.variables or {},
            post_call=self.post_call.said() if self.post_call else {},
        )


# --- answers ---------------------------------------------------------------------------------------------------------


class Access(ResponseBody):
    url: str = Field(description="Where the room is.")
    token: str = Field(description="A LiveKit token, good for six hours.")


class InvitedParticipant(ResponseBody):
    id: str
    transport: Literal["webrtc", "pstn"]
    identity: str
    status: Literal["joining", "queued"]
    access: Access | None = None
    telephony_leg_id: str | None = None
    job_id: str | None = None


class AgentName(ResponseBody):
    id: str
    name: str


class CreatedCallBody(ResponseBody):
    id: str
    room_name: str
    status: CallStatus
    participants: list[InvitedParticipant]
    agent: AgentName


class PrimaryParticipant(ResponseBody):
    identity: str
    transport: Transport


class ListedCallBody(ResponseBody):
    id: str
    room_name: str
    agent_id: str
    status: CallStatus
    created_at: str
    started_at: str | None
    ended_at: str | None
    end_reason: str | None
    bill_duration: int | None
    total_cost: float | None
    metadata: dict[str, Any]
    intelligence_status: Literal["not_started", "pending", "completed", "failed"]
    participant_count: int
    primary_participant: PrimaryParticipant | None


class CallListBody(ResponseBody):
    calls: list[ListedCallBody]
    total: int
    limit: int
    offset: int
    next_cursor: str | None
