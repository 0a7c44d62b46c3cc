"""What happens to an account's numbers, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class NumberAssigned(Fact):
    """Calls to a number are answered by this agent from now on."""

    tenant_id: str
    number: str
    agent_id: str
    at: str
