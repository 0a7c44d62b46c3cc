"""What happens to an account's secret keys, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class ApiKeyCreated(Fact):
    tenant_id: str
    key_id: str
    prefix: str
    label: str
    at: str


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked(Fact):
    tenant_id: str
    key_id: str
    prefix: str
    label: str
    at: str
