"""Having endpoints told of things, by hand, and looking at what became of it."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.after_calls import Receiver
from tests.support.asking import CLOCK, Customer, settings_for_tests
from tests.support.clocks import SetClock

from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import Seal
from rymi_server.webhooks.connecting import Sender
from rymi_server.webhooks.delivering import Deliverer
from rymi_server.webhooks.models import News
from rymi_server.webhooks.telling import tell

EVENT = "call.completed"


async def happen(database: Database, customer: Customer, *names: str, subject: str = "a-call") -> None:
    """Things that the customer's endpoints are to be told of, in order."""
    now = CLOCK.now()
    news = [News(EVENT, f"evt_{subject}_{name}", subject, now, {"name": name}) for name in names]
    async with database.transaction() as tx:
        await tell(tx, customer.tenant.id, news, now)


async def log_of(customer: Customer, webhook_id: str) -> list[dict[str, Any]]:
    """Its deliveries, oldest first, each with its attempts."""
    listed = (await customer.get(f"/v1/webhooks/{webhook_id}/deliveries?limit=200")).json()["deliveries"]
    return [(await customer.get(f"/v1/webhooks/deliveries/{each['id']}")).json() for each in reversed(listed)]


def names(server: Receiver) -> list[str]:
    return [each.json["data"]["name"] for each in server.got]


def received(server: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(server.got) >= count

    return enough


def tried(customer: Customer, webhook_id: str, attempts: int) -> Callable[[], Awaitable[bool]]:
    async def often_enough() -> bool:
        log = await log_of(customer, webhook_id)
        return bool(log) and all(len(each["log"]) >= attempts for each in log)

    return often_enough


class Hand:
    """Delivers by hand, on a clock that goes where the test puts it."""

    def __init__(
        self, database: Database, *, allow_private: bool = True, seconds: float = 2.0, sends_mails: bool = False
    ) -> None:
        self.clock = SetClock.from_now()
        # What happens in the test is due by this clock at once.
        self.clock.pass_by(minutes=2)
        self._sender = Sender(allow_private=allow_private, seconds=seconds)
        seal = Seal.from_text(settings_for_tests().required_secret())
        self._deliver = Deliverer(database, self._sender, seal, self.clock, sends_mails=sends_mails)
        self.database = database

    async def deliver(self, webhook_id: str) -> None:
        await self._deliver({"endpoint_id": webhook_id, "tenant_id": "unused"})

    async def sweep(self) -> None:
        async with self.database.transaction() as tx:
            await self._deliver.sweep(tx)

    async def close(self) -> None:
        await self._sender.close()
