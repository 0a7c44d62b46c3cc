"""The numbers that accounts own. What a carrier does with a number's settings is the carrier's to know."""

import re
from dataclasses import dataclass, field
from datetime import datetime

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass
class OwnedNumber:
    """`settings` holds the carrier's own fields under the carrier's own names."""

    carrier: str
    account_id: str
    e164: str
    sid: str
    bought_at: datetime
    label: str = ""
    voice: bool = True
    settings: dict[str, str] = field(default_factory=dict)


def to_e164(raw: str) -> str | None:
    """The number with its plus, or `None` if no phone could have it. A missing plus is forgiven, as carriers do."""
    digits = re.sub(r"[ ().-]", "", raw)
    number = digits if digits.startswith("+") else f"+{digits}"
    return number if _E164.fullmatch(number) else None


class Numbers:
    """Looks numbers up by carrier and number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], OwnedNumber] = {}

    def add(self, number: OwnedNumber) -> OwnedNumber:
        self._numbers[number.carrier, number.e164] = number
        return number

    def find(self, carrier: str, e164: str) -> OwnedNumber | None:
        return self._numbers.get((carrier, e164))

    def owned(self, carrier: str, account_id: str, e164: str) -> OwnedNumber | None:
        number = self.find(carrier, e164)
        return number if number and number.account_id == account_id else None

    def of_account(self, carrier: str, account_id: str) -> list[OwnedNumber]:
        return [n for n in self._numbers.values() if (n.carrier, n.account_id) == (carrier, account_id)]

    def all(self) -> list[OwnedNumber]:
        return list(self._numbers.values())

    def clear(self) -> None:
        self._numbers.clear()
