"""What happens to an account's credit, for those above who are concerned."""

from dataclasses import dataclass

from rymi_server.queue.facts import Fact


@dataclass(frozen=True, slots=True)
class BalanceLow(Fact):
    """The balance has fallen below what the operator or the tenant calls low, or is gone. Amounts are USD as text."""

    tenant_id: str
    balance: str
    threshold: str
    depleted: bool
    at: str
