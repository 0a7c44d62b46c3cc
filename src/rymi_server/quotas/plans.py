"""Plans: how much a tenant may ask of this installation."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """None means no limit."""

    requests_per_minute: int | None = None
    concurrent_calls: int | None = None
    # How far a moment's rush may go beyond the even rate, within the same minute.
    burst: int = 0


@dataclass(frozen=True, slots=True)
class Plans:
    by_name: Mapping[str, Plan]
    default: str

    def of(self, name: str) -> Plan:
        """The default plan's for tenants whose plan this installation does not have any more."""
        return self.by_name.get(name) or self.by_name[self.default]
