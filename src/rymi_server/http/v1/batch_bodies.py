"""What is sent to and answered by the batch pages."""

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rymi_server.call_control.batch import WantedBatch
from rymi_server.call_control.wanted import WantedParticipant
from rymi_server.calls.models import CallStatus, Transport
from rymi_server.http.v1.call_bodies import AgentName, InvitedParticipant, PostCall
from rymi_server.http.v1.fields import JsonObject, Phone, RequestBody, ResponseBody, Uuid

MOST_RECIPIENTS = 500

BatchId = Annotated[str, Field(min_length=1, max_length=128)]


class Recipient(RequestBody):
    """A number to call, under any of the names that clients use for it."""

    to: Phone | None = None
    identity: Phone | None = None
    phone: Phone | None = None
    phone_number: Phone | None = None
    from_number: Phone | None = None
    metadata: JsonObject | None = None

    @model_validator(mode="after")
    def _one_number(self) -> "Recipient":
        if len({each for each in (self.to, self.identity, self.phone, self.phone_number) if each}) != 1:
            raise ValueError("give the number to call once, as `to`")
        return self

    def number(self) -> str:
        number = self.to or self.identity or self.phone or self.phone_number
        assert number is not None
        return number


class BatchBody(RequestBody):
    agent_id: Uuid
    to: Annotated[list[Phone], Field(min_length=1, max_length=MOST_RECIPIENTS)] | None = None
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=MOST_RECIPIENTS)] | None = None
    from_number: Phone | None = Field(default=None, description="Caller ID for recipients that name none.")
    batch_id: BatchId | None = Field(
        default=None, description="A name of your own. Made up if absent. Requests of one name are one batch."
    )
    metadata: JsonObject | None = None
    variables: JsonObject | None = None
    post_call: PostCall | None = None
    conference: bool = Field(default=False, description="Everybody in one call, instead of a call for each.")
    skip_dnc: bool = Field(default=False, description="Leave out numbers on the Do-Not-Call list instead of refusing.")

    @model_validator(mode="after")
    def _recipients_once(self) -> "BatchBody":
        if (self.to is None) == (self.recipients is None):
            raise ValueError("give either `to` or `recipients`")
        counted = Counter(each.identity for each in self._wanted_participants())
        twice = sorted(number for number, times in counted.items() if times > 1)
        if twice:
            raise ValueError(f"a number is called once in a batch; given more than once: {', '.join(twice[:10])}")
        return self

    def wanted(self) -> WantedBatch:
        return WantedBatch(
            agent_id=self.agent_id,
            recipients=self._wanted_participants(),
            batch_id=self.batch_id,
            metadata=self.metadata or {},
            variables=self.variables or {},
            post_call=self.post_call.said() if self.post_call else {},
            conference=self.conference,
            skip_dnc=self.skip_dnc,
        )

    def _wanted_participants(self) -> list[WantedParticipant]:
        if self.to is not None:
            return [WantedParticipant(Transport.PSTN, number, self.from_number) for number in self.to]
        return [
            WantedParticipant(
                Transport.PSTN, each.number(), each.from_number or self.from_number, metadata=each.metadata or {}
            )
            for each in self.recipients or []
        ]


# --- answers ---------------------------------------------------------------------------------------------------------


class BatchedCall(ResponseBody):
    id: str
    room_name: str
    status: CallStatus
    participants: list[InvitedParticipant]


class CreatedBatchBody(ResponseBody):
    batch_id: str
    queued: int = Field(description="How many numbers are going to be called.")
    status: Literal["queued"]
    calls: list[BatchedCall]
    participants: list[InvitedParticipant]
    skipped: list[str] = Field(description="Numbers that were left out because they must not be called.")
    # With `conference`, the one call stands here too, as creating it would have answered.
    id: str | None = None
    room_name: str | None = None
    agent: AgentName | None = None


class BatchProgressBody(ResponseBody):
    batch_id: str
    status: Literal["running", "completed"]
    total: int
    done: int
    by_status: dict[str, int]
    by_reason: dict[str, int]
