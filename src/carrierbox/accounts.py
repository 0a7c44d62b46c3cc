"""The accounts that the box's carriers know: their ids, their secrets, and how fast they may dial."""

import hmac
from dataclasses import dataclass, field


@dataclass
class Account:
    """`secret` authenticates REST; `signature_secret` signs callbacks and is the same unless the carrier keeps two."""

    carrier: str
    id: str
    secret: str = field(repr=False)
    name: str
    calls_per_second: float
    signature_secret: str = field(default="", repr=False)
    status: str = "active"
    trial: bool = False

    def __post_init__(self) -> None:
        self.signature_secret = self.signature_secret or self.secret

    def accepts(self, secret: str) -> bool:
        return hmac.compare_digest(secret.encode(), self.secret.encode())


class Accounts:
    """Looks accounts up by carrier and id."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str], Account] = {}

    def add(self, account: Account) -> Account:
        self._accounts[account.carrier, account.id] = account
        return account

    def find(self, carrier: str, account_id: str) -> Account | None:
        return self._accounts.get((carrier, account_id))

    def authenticate(self, carrier: str, account_id: str, secret: str) -> Account | None:
        account = self.find(carrier, account_id)
        return account if account and account.accepts(secret) else None

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def clear(self) -> None:
        self._accounts.clear()
