"""What a phone company must do for us."""

from dataclasses import dataclass
from typing import Protocol

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import LegId, TenantId


@dataclass(frozen=True, slots=True)
class Dial:
    """A number to ring, for a leg that is already ours."""

    leg_id: LegId
    from_number: str | None
    to_number: str


class CarrierRefused(Unavailable):
    """The carrier did not place the call, and said so: nothing rang."""

    code = "carrier_refused"


class OutcomeUnknown(Unavailable):
    """The carrier may have placed the call or not. It must be asked before anything else is done."""

    code = "carrier_outcome_unknown"


class Carrier(Protocol):
    @property
    def name(self) -> str: ...

    async def place_call(self, dial: Dial) -> str:
        """The carrier's own id of the call. Raise `CarrierRefused` or `OutcomeUnknown`, and nothing else."""
        ...

    async def find_call(self, leg_id: LegId) -> str | None:
        """The carrier's own id of the call that was placed for this leg, or None where none was."""
        ...


class ConnectedCarriers(Protocol):
    async def of(self, tx: Transaction, tenant_id: TenantId) -> Carrier | None:
        """The carrier that this tenant's calls go through, or None where none is connected."""
        ...
