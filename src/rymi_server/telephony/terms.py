"""What an installation says about phones: where carriers are asked, how fast they are dialed, how numbers are rung."""

from dataclasses import dataclass
from typing import Final

from rymi_server.telephony.carriers.box import BOX_ACCOUNTS

CARRIER_NAMES: Final = ("twilio", "plivo", "vonage")
"""Those of the registry, which takes a while to load."""


@dataclass(frozen=True, slots=True)
class CarrierHosts:
    """Where the carriers are asked."""

    twilio: str = "https://api.twilio.com"
    plivo: str = "https://api.plivo.com"
    vonage: str = "https://api.nexmo.com"
    vonage_account: str = "https://rest.nexmo.com"
    # Where the accounts of the carriers in the box are asked, if there is one.
    box: str | None = None

    def for_account(self, account_id: str) -> "CarrierHosts":
        if self.box is None or account_id not in BOX_ACCOUNTS:
            return self
        box = self.box.rstrip("/")
        return CarrierHosts(f"{box}/twilio", f"{box}/plivo", f"{box}/vonage", f"{box}/vonage")


@dataclass(frozen=True, slots=True)
class CarrierLimits:
    """How fast accounts of a carrier are dialed unless their owner says otherwise. None means no limit."""

    calls_per_second: float
    concurrent_calls: int | None = None


@dataclass(frozen=True, slots=True)
class DialTerms:
    """How every number is rung."""

    ring_seconds: int = 30
    limit_seconds: int = 14_400
    detect_machines: bool = True
