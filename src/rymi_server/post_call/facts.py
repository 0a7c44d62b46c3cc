"""What happens after a call, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class RecordingReady(Fact):
    call_id: str
    tenant_id: str


@dataclass(frozen=True, slots=True)
class PostCallCompleted(Fact):
    """Everything that a call leaves behind is there, or a further run of its analysis is.

    One that nobody came into leaves nothing behind: its end says all.
    """

    call_id: str
    tenant_id: str
    revision: int | None
