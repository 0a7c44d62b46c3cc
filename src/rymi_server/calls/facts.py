"""What happens to a call, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class CallStarted(Fact):
    """The first person is in."""

    call_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class ParticipantJoined(Fact):
    call_id: str
    tenant_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class ParticipantLeft(Fact):
    """Somebody has left a call that goes on, or failed to come in; `reason` says why."""

    call_id: str
    tenant_id: str
    participant_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded(Fact):
    """The call is completed or failed: everybody has left it, the last of them just now, and nobody will join it."""

    call_id: str
    tenant_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentClosed(Fact):
    """A run of the agent has told everything that it had to tell of a call that is over."""

    call_id: str
    tenant_id: str
    run: str


@dataclass(frozen=True, slots=True)
class HandoffWanted(Fact):
    """The agent asks for a human on the line: at the number `to`, or at the one that the tenant has set."""

    call_id: str
    tenant_id: str
    to: str | None
    mode: str
    briefing: str
