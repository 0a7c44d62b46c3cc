"""What a phone company must do for us: its REST side (`Carrier`) and what it sends us (`CarrierWire`, pure).

Placing a call can fail in four ways that must not be confused: refused (final), throttled and unreachable (nothing
rang, so it may be tried again), and unknown (it must be asked before anything else is done).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import LegId, TenantId
from rymi_server.telephony.carriers.hooks import AccountAddresses, Hook, LegAddresses
from rymi_server.telephony.models import LegReason, LegStatus

# --- errors ----------------------------------------------------------------------------------------------------------


class CarrierRefused(Unavailable):
    """The carrier did not do it, and said so: nothing rang."""

    code = "carrier_refused"

    def __init__(self, message: str, *, reason: LegReason = LegReason.CARRIER_REFUSED, retryable: bool = False) -> None:
        super().__init__(message, retryable=retryable)
        self.reason = reason


class CredentialsRefused(Unavailable):
    """The carrier does not take our credentials, or not for this: nothing rang."""

    code = "carrier_credentials_refused"
    reason = LegReason.CARRIER_REFUSED

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class CarrierThrottled(Unavailable):
    """Too much at once for the carrier, which has done nothing."""

    code = "carrier_throttled"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class CarrierUnreachable(Unavailable):
    """No connection to the carrier was made, so it has done nothing."""

    code = "carrier_unreachable"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class OutcomeUnknown(Unavailable):
    """The carrier may have done it or not. It must be asked before anything else is done."""

    code = "carrier_outcome_unknown"

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message, retryable=retryable)


# --- accounts and numbers --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens a carrier account: Twilio's account SID, Plivo's auth ID or Vonage's API key, and its secret."""

    account_id: str
    secret: str = field(repr=False)
    # Only Vonage signs with another secret than it is asked with.
    signature_secret: str | None = field(default=None, repr=False)
    # What we made at the carrier: an application that our numbers point to, and the key that signs for it.
    application_id: str | None = None
    private_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CarrierAccount:
    name: str
    country: str | None = None
    # A trial account calls verified numbers only.
    is_trial: bool = False


@dataclass(frozen=True, slots=True)
class CarrierNumber:
    """A number that can be called, as E.164, under the name that the carrier has for it."""

    number: str
    reference: str
    country: str | None = None


Routing = Mapping[str, Any]

# --- calls -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """A number to ring, for a leg that is already ours."""

    leg_id: LegId
    from_number: str | None
    to_number: str
    addresses: LegAddresses
    ring_seconds: int = 30
    limit_seconds: int = 14_400
    detect_machine: bool = False


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call at the carrier, and the host that knows of it where that is not the usual one."""

    id: str
    region_url: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What is known of a call that may have been placed."""

    from_number: str | None
    to_number: str
    since: datetime
    # Running calls of the account that are not the one, whatever their numbers are.
    others: frozenset[str] = frozenset()


class AnsweredBy(StrEnum):
    HUMAN = "human"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LegReport:
    """What a carrier says of a call, in our words. Without a status it only fills blanks."""

    provider_call_id: str
    status: LegStatus | None = None
    reason: LegReason | None = None
    bill_seconds: int | None = None
    cost: Decimal | None = None
    cost_currency: str = "USD"
    answered_by: AnsweredBy | None = None
    # The carrier's own word or number for how it ended, for people.
    cause: str | None = None
    # Other names under which the carrier may have announced the same call.
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls one of our numbers. Who hides their number calls from None."""

    provider_call_id: str
    from_number: str | None
    to_number: str
    region_url: str | None = None


class Carrier(Protocol):
    """One connected account. What takes a call that is over already counts as done."""

    @property
    def name(self) -> str: ...

    async def account(self) -> CarrierAccount:
        """Raise `CredentialsRefused` where these credentials open nothing, or nothing that can be used."""
        ...

    async def numbers(self) -> Sequence[CarrierNumber]:
        """All numbers of the account that take calls."""
        ...

    async def provision(self, at: AccountAddresses) -> Credentials:
        """Make or correct what our numbers will point to. The credentials, with what was made."""
        ...

    async def unprovision(self) -> None:
        """Take away what `provision` made."""
        ...

    async def routing(self, number: CarrierNumber, at: AccountAddresses) -> Routing | None:
        """Where the number's calls go, for `restore`; None where they come to us already."""
        ...

    async def attach(self, number: CarrierNumber, at: AccountAddresses) -> None:
        """Have the number's calls come to us."""
        ...

    async def restore(self, number: CarrierNumber, before: Routing, ours: str) -> None:
        """Point the number to where it pointed before, unless it does not point to `ours` (any more)."""
        ...

    async def place_call(self, dial: Dial) -> str:
        """The carrier's own id of the call. Raise one of the errors above, and nothing else."""
        ...

    async def find_calls(self, search: Search) -> Sequence[str]:
        """The carrier's own ids of calls that match, newest first."""
        ...

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        """How a call stands; None where the carrier knows no such call."""
        ...

    async def hang_up(self, call: PlacedCall) -> None: ...

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        """Have the call follow another document, which ends its media socket."""
        ...

    async def press(self, call: PlacedCall, digits: str) -> bool:
        """Send keys to the phone. False where this carrier can only hear them in the audio."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectedCarrier:
    """A carrier account of a tenant's, and the limits that it is dialed within."""

    connection_id: str
    # What the limits are counted for: two tenants may share an account.
    account: str
    carrier: Carrier
    calls_per_second: float
    # None where the carrier has no limit.
    concurrent_calls: int | None = None
    # Whether a call too many in a second is turned away, and not only kept waiting.
    refuses_excess: bool = True


class ConnectedCarriers(Protocol):
    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        """What this tenant's calls go through now, or None where no carrier is connected."""
        ...

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        """A connection that a leg went through. It may be over, and is None once its secrets are forgotten."""
        ...


# --- what carriers send us -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request of a carrier, untouched. `url` is the public one that the carrier was given, with its query."""

    method: str
    url: str
    # By lower-case names.
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class MediaOffer:
    """The socket that a call's audio shall go to. The token in it opens it once."""

    url: str
    token: str
    stream_status_url: str
    # Spoken by the carrier before anything else.
    say_first: str | None = None


class Refusal(StrEnum):
    """`BUSY`: not now. `REJECTED`: nobody is here."""

    BUSY = "busy"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Document:
    """What a carrier is to do with a call, in its own language."""

    body: str
    content_type: str


class CarrierWire(Protocol):
    """The carrier's language. Pure: it neither asks nor stores anything."""

    def verifies(self, credentials: Credentials, request: SignedRequest, now: datetime) -> bool:
        """Whether the carrier sent this. True as well where it has been given nothing to sign with."""
        ...

    def verifies_socket(self, credentials: Credentials, request: SignedRequest, token: str, now: datetime) -> bool:
        """The same for the handshake of a media socket, whose address holds `token`."""
        ...

    def named_once(self, credentials: Credentials, request: SignedRequest) -> str | None:
        """What a verified request alone is called, so that it is known when it is sent again. None where the carrier
        gives no such name."""
        ...

    def read_report(self, hook: Hook, request: SignedRequest) -> LegReport | None:
        """None where it says nothing about the call that we keep."""
        ...

    def read_incoming(self, request: SignedRequest) -> Incoming | None:
        """None where the request names no call."""
        ...

    def connect(self, offer: MediaOffer, credentials: Credentials) -> Document:
        """Connect the call to our socket."""
        ...

    def refuse(self, refusal: Refusal, words: str) -> Document:
        """Turn an unanswered call down: as busy or rejected where the carrier can, else by saying `words`."""
        ...

    def hang_up(self) -> Document: ...

    def forward(self, to_number: str, from_number: str | None) -> Document:
        """Hand the call over to another phone and leave it."""
        ...
