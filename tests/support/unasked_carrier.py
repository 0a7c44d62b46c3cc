"""A carrier that is asked for nothing. Fakes say what they do instead."""

from collections.abc import Sequence

from rymi_server.telephony.carriers.carrier import (
    CarrierAccount,
    CarrierNumber,
    Credentials,
    Dial,
    LegReport,
    PlacedCall,
    Routing,
    Search,
)
from rymi_server.telephony.carriers.hooks import AccountAddresses


class UnaskedCarrier:
    """Keeps the promise `Carrier` by refusing all of it."""

    name = "unasked"

    async def account(self) -> CarrierAccount:
        raise NotImplementedError

    async def numbers(self) -> Sequence[CarrierNumber]:
        raise NotImplementedError

    async def provision(self, at: AccountAddresses) -> Credentials:
        raise NotImplementedError

    async def unprovision(self) -> None:
        raise NotImplementedError

    async def routing(self, number: CarrierNumber, at: AccountAddresses) -> Routing | None:
        raise NotImplementedError

    async def attach(self, number: CarrierNumber, at: AccountAddresses) -> None:
        raise NotImplementedError

    async def restore(self, number: CarrierNumber, before: Routing, ours: str) -> None:
        raise NotImplementedError

    async def place_call(self, dial: Dial) -> str:
        raise NotImplementedError

    async def find_calls(self, search: Search) -> Sequence[str]:
        raise NotImplementedError

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        raise NotImplementedError

    async def hang_up(self, call: PlacedCall) -> None:
        raise NotImplementedError

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        raise NotImplementedError

    async def press(self, call: PlacedCall, digits: str) -> bool:
        raise NotImplementedError
