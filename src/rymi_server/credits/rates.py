"""What a minute costs, and how a call's length becomes a bill."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from rymi_server.foundation.money import cost_of, dollars

INCREMENT_SECONDS = 30
CHEAPEST_ROLE = "operator"


@dataclass(frozen=True, slots=True)
class RoleRate:
    display_name: str
    per_minute: Decimal

    @property
    def per_second(self) -> Decimal:
        return (self.per_minute / 60).quantize(Decimal("0.00000001"))

    @property
    def increment(self) -> Decimal:
        """The least that a connected call costs, and so what a new one must hold."""
        return cost_of(INCREMENT_SECONDS, self.per_minute)


@dataclass(frozen=True, slots=True)
class Rates:
    """The price list: one rate an agent role."""

    roles: Mapping[str, RoleRate]

    def of(self, role: str) -> RoleRate:
        """Roles are an open list; one without a price of its own costs what the plainest does."""
        return self.roles.get(role) or self.roles[CHEAPEST_ROLE]


def bill_seconds(connected_seconds: float) -> int:
    """Connected time rounded up to whole increments; a call that connected at all is one."""
    increments = -(-connected_seconds // INCREMENT_SECONDS)
    return max(1, int(increments)) * INCREMENT_SECONDS


def bill(connected_seconds: float | None, rate_per_minute: Decimal) -> tuple[int, Decimal]:
    """Seconds and dollars to bill. A call that nobody got into (None) costs nothing."""
    if connected_seconds is None:
        return 0, dollars(0)
    seconds = bill_seconds(connected_seconds)
    return seconds, cost_of(seconds, rate_per_minute)
