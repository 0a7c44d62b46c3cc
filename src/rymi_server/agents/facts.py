"""What happens to an account's agents, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class AgentPublished(Fact):
    """Calls that are created from now on have the agent as it was just saved: a new one, or one that was changed."""

    tenant_id: str
    agent_id: str
    name: str
    agent_role: str
    at: str
