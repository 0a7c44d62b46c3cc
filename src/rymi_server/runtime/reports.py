"""What an agent tells the API while a call runs. The vocabulary of both ends; neither end's behaviour.

Times are milliseconds on the call's clock. A report is numbered within its run (one agent process in one call), so that
sending it again is harmless.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rymi_server.foundation.storable import storable


class _Told(BaseModel):
    """What tools, models and recognisers say is handed on in these, and that may be anything."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _be_storable(cls, told: Any) -> Any:
        return storable(told)


class Line(_Told):
    """What one speaker said without being taken turns with; of the agent's words only those that were heard."""

    speaker: Literal["user", "agent"]
    participant_id: str | None = None
    identity: str | None = None
    text: Annotated[str, Field(max_length=20_000)]
    started_at_ms: int
    ended_at_ms: int


class ClockStarted(_Told):
    kind: Literal["clock_started"] = "clock_started"
    started_at: datetime


class Said(_Told):
    kind: Literal["said"] = "said"
    line: Line
    segment_id: str


class Drafted(_Told):
    """Words that may still change. Shown live, kept nowhere."""

    kind: Literal["drafted"] = "drafted"
    line: Line
    segment_id: str


class Speaking(_Told):
    """Somebody began or stopped speaking; `participant_id` is None for the agent. Shown live, kept nowhere."""

    kind: Literal["speaking"] = "speaking"
    participant_id: str | None
    speaking: bool
    at_ms: int


class AgentState(_Told):
    """Shown live, kept nowhere."""

    kind: Literal["agent_state"] = "agent_state"
    state: Literal["listening", "thinking", "speaking"]
    at_ms: int


class Happened(_Told):
    """Something for the call's event log."""

    kind: Literal["happened"] = "happened"
    level: Literal["info", "warning", "error"] = "info"
    message: Annotated[str, Field(max_length=2_000)]


class TurnTaken(_Told):
    """One turn of a person and the answer to it: why it ended, by which engine, and where the time went."""

    kind: Literal["turn_taken"] = "turn_taken"
    turn: int
    participant_id: str | None
    mode: str
    engine: str
    fallback: bool
    started_at_ms: int
    speech_ended_at_ms: int
    decided_at_ms: int
    end_reason: str
    answer_pushed_at_ms: int | None = None
    answer_heard_at_ms: int | None = None
    interrupted_at_ms: int | None = None
    silent_at_ms: int | None = None
    parts: dict[str, float] = Field(default_factory=dict)
    trace: dict[str, Any] = Field(default_factory=dict)


class Remembered(_Told):
    """The state of the conversation, for a successor should this agent die."""

    kind: Literal["remembered"] = "remembered"
    memory: dict[str, Any]


class SegmentRecorded(_Told):
    """A finished piece of the recording lies in the storage under `key`."""

    kind: Literal["segment_recorded"] = "segment_recorded"
    key: str
    started_at_ms: int
    duration_ms: int
    tracks: dict[str, str] = Field(default_factory=dict)
    peaks: dict[str, Any] = Field(default_factory=dict)


class KeysPressed(_Told):
    kind: Literal["keys_pressed"] = "keys_pressed"
    participant_id: str
    digits: Annotated[str, Field(max_length=64)]


class HandoffWanted(_Told):
    """The agent wants a human on the line: `to` is a number, or None for the one that the tenant has set."""

    kind: Literal["handoff_wanted"] = "handoff_wanted"
    to: str | None = None
    mode: Literal["cold", "warm"] = "warm"
    briefing: str = ""


class OptedOut(_Told):
    """Somebody does not want to be called again."""

    kind: Literal["opted_out"] = "opted_out"
    participant_id: str


class EndWanted(_Told):
    """The agent has said its last word; the call may end."""

    kind: Literal["end_wanted"] = "end_wanted"
    reason: str


class AllSaid(_Told):
    """Every line of this run has been told; what may follow is where the recording lies."""

    kind: Literal["all_said"] = "all_said"


AnyReport = Annotated[
    ClockStarted
    | Said
    | Drafted
    | Speaking
    | AgentState
    | Happened
    | TurnTaken
    | Remembered
    | SegmentRecorded
    | KeysPressed
    | HandoffWanted
    | OptedOut
    | EndWanted
    | AllSaid,
    Field(discriminator="kind"),
]


class Numbered(BaseModel):
    model_config = ConfigDict(frozen=True)

    sequence: Annotated[int, Field(ge=0)]
    report: AnyReport


class Reports(BaseModel):
    """A batch, in order. An empty one is a sign of life."""

    model_config = ConfigDict(frozen=True)

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    reports: Annotated[tuple[Numbered, ...], Field(max_length=500)] = ()
    # The highest number of an order that was carried out. Until it is told, orders are repeated.
    obeyed: Annotated[int, Field(ge=0)] = 0
    # The last batch of this run: whatever waits for the call's last words need wait no longer.
    closing: bool = False


class Order(BaseModel):
    """What the API wants of a running agent. It may be told twice, and must be harmless then."""

    model_config = ConfigDict(frozen=True)

    number: int
    kind: Literal["say", "say_and_end", "step_back", "come_back", "brief", "leave"]
    text: str = ""
    reason: str = ""
    participant_id: str | None = None


class Answer(BaseModel):
    """Everything up to `accepted` is kept; `over` means that the call has ended and the agent should leave."""

    model_config = ConfigDict(frozen=True)

    accepted: int
    over: bool = False
    orders: tuple[Order, ...] = ()
