"""What happens to a call, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class CallEnded(Fact):
    """The call is completed or failed; nobody will join it any more."""

    call_id: str
    tenant_id: str
    reason: str
