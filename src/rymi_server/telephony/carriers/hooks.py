"""What carriers call us about, and at which addresses they find us."""

from dataclasses import dataclass
from enum import StrEnum


class Hook(StrEnum):
    """What a carrier calls us about."""

    ANSWER = "answer"
    STATUS = "status"
    MACHINE = "machine"
    STREAM = "stream"


@dataclass(frozen=True, slots=True)
class AccountAddresses:
    """Where the carrier finds us for calls that come in. `name` is unique to the connection."""

    name: str
    answer: str
    status: str


@dataclass(frozen=True, slots=True)
class LegAddresses:
    """Where the carrier finds us for one call of ours."""

    answer: str
    status: str
    machine: str
    stream: str
